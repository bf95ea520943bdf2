"""The default corpus: text files, nothing else."""
