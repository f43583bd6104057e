"""The report's charts, a file each; a new one is its file and its line here.

A chart is a module with TITLE and CAPTION, and with draw(points, static), which makes an Altair
chart from rows of the table of reading/points.py, or gives None if they have nothing to draw. What
was not measured is a gap; nothing is drawn as zero. `static` is for a file, where nothing can be
switched: it has a legend of the methods.
"""

from scripts.report_page.charts import (
    back,
    bandwidth,
    beyond_the_link,
    dtypes,
    history,
    latency,
    machines,
    many,
    ordinary,
    relative,
)

# In the order of the page. Each is drawn from the newest result of each machine, ...
CHARTS = {
    "relative": relative,
    "bandwidth": bandwidth,
    "latency": latency,
    "beyond_the_link": beyond_the_link,
    "ordinary": ordinary,
    "many": many,
    "back": back,
    "dtypes": dtypes,
    "machines": machines,
}
# ... and these from all results.
OVER_TIME = {"history": history}
