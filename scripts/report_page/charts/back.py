"""The way back: GB/s over size from the device into a NumPy array, as bandwidth.py draws it."""

import altair
import pandas

from scripts.report_page.chart_data import transfers
from scripts.report_page.charts import bandwidth
from scripts.words.vocabulary import OTHERS

TITLE = "The way back"
CAPTION = (
    "From the GPU into a NumPy array, float32. A new array is pageable, and is made, filled and "
    "released each time: the system has to give its pages. Dashed: the most that the link carries "
    "this way."
)
INTO = {"existing_host_array": "existing array", "new_host_array": "new array"}


def draw(points: pandas.DataFrame, static: bool = False) -> altair.FacetChart | None:
    link = points[points["benchmark"].eq(OTHERS["link_back"])]
    return bandwidth.curves(transfers(points, INTO), {"the link's ceiling, back": link}, static)
