"use strict";
(function () {
  var narrow = window.matchMedia("(max-width: 640px)").matches;
  function fit(spec) {
    if (!narrow) { return; }
    spec.layout.font.size = 11;
    spec.data.forEach(function (trace) {
      if (trace.mode && trace.mode.indexOf("text") >= 0) {
        trace.mode = "markers";
        trace.marker.size *= 0.55;
      }
      var bar = trace.colorbar || (trace.marker && trace.marker.colorbar);
      if (bar) { bar.thickness = 8; }
    });
  }
  document.querySelectorAll("[data-plot]").forEach(function (place) {
    var spec = JSON.parse(document.getElementById(place.dataset.plot).textContent);
    fit(spec);
    Plotly.newPlot(place, spec.data, spec.layout, {
      responsive: true,
      displaylogo: false,
      displayModeBar: false,
      scrollZoom: false
    });
  });
})();
