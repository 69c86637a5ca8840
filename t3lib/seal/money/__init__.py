"""The figures of money of a pack again, from its sealed rows: VAT by rate, and what is left after costs."""
