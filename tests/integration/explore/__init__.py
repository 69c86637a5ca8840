"""Tables and saved queries, as analysts read them."""
