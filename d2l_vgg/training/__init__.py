"""What a training needs whatever the framework: its record and course."""
