"""The builder of the chapter: page, notebooks, slides and PDF."""
