"""Rules: expressions of the Common Expression Language, bounded and explained."""
