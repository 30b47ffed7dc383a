"""The VGG family as data: no framework is needed to know its costs."""
