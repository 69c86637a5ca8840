"""The ledger of files: which versions were seen, what became of each, and which tell of the same sales."""
