"""Tag Arabic news articles: all that inference needs."""
