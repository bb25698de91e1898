"""Pages and charts from records: a certificate, and the story of a project, each one HTML file.

A page starts with one verdict and one sentence that a person can act on; the rest unfolds. It needs no network, no
script and no second file, reads well on light and dark screens, on a phone and on paper, and treats all that it is
given as text. Faces fill the views (``certificate_view``, ``story``) from records; this room computes and checks
nothing, and imports Jinja2 and vl-convert only when a page is rendered.
"""

from __future__ import annotations

from mintage.report.page import render_certificate, render_story

__all__ = ["render_certificate", "render_story"]
