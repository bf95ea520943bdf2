"""How good the answers are: metrics, readers of question sets, and the questions over the seeds."""
