"""A process of its own that draws: jobs come in as JSON, drawings go out as JSON. Imports nothing of Driftline's.

vl-convert's renderer aborts its whole process on some characters and takes minutes over very long ones. Where a log
could reach it in the dashboard's process, a log could end the dashboard.
"""

from __future__ import annotations

import base64
import json
import sys

import vl_convert


def main() -> None:
    """Draw what standard input asks for: `specs` become SVG, `svgs` PNG and `to_pdf` PDF, in base64."""
    job = json.load(sys.stdin)
    done: dict[str, list[str]] = {}
    if "specs" in job:
        done["svgs"] = [
            vl_convert.vegalite_to_svg(spec, vl_version=job["version"], allowed_base_urls=[]) for spec in job["specs"]
        ]
    if "svgs" in job:
        drawn = [vl_convert.svg_to_png(svg, scale=job["scale"], ppi=job.get("ppi", 72)) for svg in job["svgs"]]
        done["pngs"] = [base64.b64encode(content).decode() for content in drawn]
    if "to_pdf" in job:
        done["pdfs"] = [base64.b64encode(vl_convert.svg_to_pdf(svg)).decode() for svg in job["to_pdf"]]
    json.dump(done, sys.stdout)


if __name__ == "__main__":
    main()
