"""What the book published, and its stock code beside ours."""
