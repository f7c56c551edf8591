"use strict";
(function () {
  var narrow = window.matchMedia("(max-width: 640px)").matches;

  /* On a phone: smaller type and marks, and the colour bars of a map below it, not beside it. */
  function fit(spec) {
    var bars = 0;
    spec.layout.font.size = 11;
    spec.data.forEach(function (trace) {
      if (spec.layout.updatemenus && trace.marker) { trace.marker.size *= 0.5; }
      if (trace.mode && trace.mode.indexOf("text") >= 0) { trace.mode = "markers"; }
      if (trace.colorbar) { trace.colorbar.thickness = 8; }
      if (trace.marker && trace.marker.colorbar) {
        Object.assign(trace.marker.colorbar, {
          orientation: "h", x: 0.5, xanchor: "center", y: -0.02 - 0.2 * bars, yanchor: "top",
          len: 0.95, thickness: 8
        });
        trace.marker.colorbar.title.side = "top";
        bars += 1;
      }
    });
    if (bars) {
      spec.layout.height = 470;
      spec.layout.margin.b = 130;
    }
  }

  document.querySelectorAll("[data-plot]").forEach(function (place) {
    var spec = JSON.parse(document.getElementById(place.dataset.plot).textContent);
    if (narrow) {
      fit(spec);
      place.style.minHeight = spec.layout.height + "px";
    }
    Plotly.newPlot(place, spec.data, spec.layout, {
      responsive: true,
      displaylogo: false,
      displayModeBar: narrow ? false : "hover",
      /* plotly would offer to upload the chart to a server of its maker. */
      showSendToCloud: false,
      plotlyServerURL: "",
      modeBarButtonsToRemove: ["sendChartToCloud", "select2d", "lasso2d", "autoScale2d"],
      scrollZoom: false
    });
  });
})();
