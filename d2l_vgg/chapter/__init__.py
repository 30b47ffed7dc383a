"""The builder of the chapter: page, notebooks, slides and PDF."""


class ChapterError(ValueError):
    """Something in the chapter is wrong; the message says where.

    Every function here raises it, for marks, links, cells and warnings.
    """
