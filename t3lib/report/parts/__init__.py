"""What sections are made of: sentences, tables, bars, tiles; each knows the units of figures from the glossary."""
