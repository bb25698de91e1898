"""Version files and folders by content: add, status, checkout."""
