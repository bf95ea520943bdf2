"""How fast, how small, how far it scales: ``qa bench``, measured against what is commonly used instead."""
