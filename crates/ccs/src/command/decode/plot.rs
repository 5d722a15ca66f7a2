//! `ccs decode --plot`: curves of voltage, current, power and state of charge, as SVG.

use std::fs::File;
use std::io::{self, Write};

use plotters::coord::Shift;
use plotters::prelude::*;

use super::series::{Band, Quantity, Sample, Series};
use super::{Report, Totals};
use crate::decode::Event;
use crate::escape::Plain;

/// Most points of a curve: slightly more than the picture has columns. Beyond that every second point is
/// dropped until they fit.
pub(super) const MAX_POINTS: usize = 1500;
/// Size of the picture in pixels: it fits a page and a screen.
const SIZE: (u32, u32) = (1100, 920);
/// Height in pixels of the strip with the names of the phases.
const STRIP: u32 = 95;

/// The curves of a file, thinned out as they grow.
#[derive(Default)]
pub(super) struct Curves {
    series: Series,
    samples: Vec<Sample>,
    /// One sample in this many is kept.
    stride: usize,
    skipped: usize,
}

impl Curves {
    /// Handles an event of the file.
    pub(super) fn take(&mut self, event: &Event<'_>) {
        let stride = self.stride.max(1);
        let Some(sample) = self.series.take(event) else { return };
        self.skipped += 1;
        if self.skipped < stride {
            return;
        }
        self.skipped = 0;
        self.samples.push(sample.clone());
        if self.samples.len() > MAX_POINTS {
            self.stride = stride * 2;
            let mut index = 0;
            self.samples.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }

    /// The picture, or why there is none.
    pub(super) fn svg(&self, name: &str) -> Result<String, String> {
        if self.samples.len() < 2 {
            return Err(
                "there are no values to draw: no answer of PreCharge, PowerDelivery or CurrentDemand".into(),
            );
        }
        let mut svg = String::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            self.draw(name, &root).map_err(|error| format!("the picture cannot be drawn: {error}"))?;
        }
        Ok(svg)
    }

    fn draw(&self, name: &str, root: &Area<'_>) -> Result<(), Failure> {
        root.fill(&WHITE)?;
        let thinned =
            if self.stride > 1 { format!(" (one of {} values)", self.stride) } else { String::new() };
        let root = root.titled(&format!("{name}{thinned}"), ("sans-serif", 16))?;
        let (strip, rest) = root.split_vertically(STRIP);
        let span = self.span();
        let bands = self.series.bands();
        names(&strip, bands, span)?;
        let areas = rest.split_evenly((PANELS.len(), 1));
        for (index, (panel, area)) in PANELS.iter().zip(&areas).enumerate() {
            self.panel(panel, area, span, index + 1 == PANELS.len())?;
        }
        root.present()
    }

    /// First and last second.
    fn span(&self) -> (f64, f64) {
        let times = self.samples.iter().map(|sample| sample.time_s);
        let bands = self.series.bands().iter().flat_map(|band| [band.from_s, band.to_s]);
        let (from, to) =
            times.chain(bands).fold((f64::MAX, f64::MIN), |(from, to), time| (from.min(time), to.max(time)));
        (from, to.max(from + 1.0))
    }

    fn panel(&self, panel: &Panel, area: &Area<'_>, span: (f64, f64), is_last: bool) -> Result<(), Failure> {
        let curve = |value: fn(&Sample) -> Option<f64>| -> Vec<(f64, f64)> {
            self.samples.iter().filter_map(|sample| Some((sample.time_s, value(sample)?))).collect()
        };
        let (solid, dashed) = (curve(panel.value), panel.target.map(curve).unwrap_or_default());
        let top = solid.iter().chain(&dashed).fold(0.0_f64, |top, point| top.max(point.1));
        let bottom = solid.iter().chain(&dashed).fold(0.0_f64, |bottom, point| bottom.min(point.1));
        let top = panel.top.unwrap_or(if top > bottom { top * 1.08 } else { bottom + 1.0 });
        let mut chart = ChartBuilder::on(area)
            .margin_left(MARGIN)
            .margin_right(RIGHT)
            .margin_top(6)
            .x_label_area_size(if is_last { 40 } else { 10 })
            .y_label_area_size(LEFT - MARGIN)
            .build_cartesian_2d(span.0..span.1, bottom..top)?;
        for (index, band) in self.series.bands().iter().enumerate() {
            let grey = if index % 2 == 0 { RGBColor(238, 238, 238) } else { WHITE };
            let corners = [(band.from_s, bottom), (band.to_s, top)];
            chart.draw_series([Rectangle::new(corners, grey.filled())])?;
        }
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(200, 200, 200))
            .y_desc(panel.name)
            .x_desc(if is_last { "time in s" } else { "" })
            .x_labels(if is_last { 12 } else { 0 })
            .y_labels(5)
            .x_label_formatter(&|value| format!("{value:.0}"))
            .y_label_formatter(&|value| {
                if top - bottom > 10.0 { format!("{value:.0}") } else { format!("{value:.1}") }
            })
            .axis_desc_style(("sans-serif", 14))
            .label_style(("sans-serif", 12))
            .draw()?;
        let pen = BLACK.stroke_width(2);
        chart.draw_series(LineSeries::new(solid, pen))?;
        if !dashed.is_empty() {
            let pen = RGBColor(90, 90, 90).stroke_width(1);
            chart.draw_series(DashedLineSeries::new(dashed, 6, 4, pen))?;
        }
        Ok(())
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Failure = DrawingAreaErrorKind<io::Error>;

/// Width in pixels at the left for the labels, the part of it before their text, and the width at the right.
const LEFT: u32 = 80;
const MARGIN: u32 = 15;
const RIGHT: u32 = 15;

struct Panel {
    name: &'static str,
    value: fn(&Sample) -> Option<f64>,
    /// Drawn as a dashed line.
    target: Option<fn(&Sample) -> Option<f64>>,
    /// End of the axis; `None`: the greatest value.
    top: Option<f64>,
}

const PANELS: [Panel; 4] = [
    Panel {
        name: "U in V (target dashed)",
        value: |sample| sample.values.get(&Quantity::Voltage).copied(),
        target: Some(|sample| sample.values.get(&Quantity::TargetVoltage).copied()),
        top: None,
    },
    Panel {
        name: "I in A (target dashed)",
        value: |sample| sample.values.get(&Quantity::Current).copied(),
        target: Some(|sample| sample.values.get(&Quantity::TargetCurrent).copied()),
        top: None,
    },
    Panel {
        name: "P in kW",
        value: |sample| sample.power_w().map(|watts| watts / 1000.0),
        target: None,
        top: None,
    },
    Panel {
        name: "SoC in %",
        value: |sample| sample.values.get(&Quantity::Soc).copied(),
        target: None,
        top: Some(100.0),
    },
];

/// Rows for the names of phases, and their height in pixels.
const ROWS: usize = 6;
const ROW: i32 = 15;

/// Writes the names of the phases above their bands, the longest phase first. A name that does not fit is
/// left out.
fn names(strip: &Area<'_>, bands: &[Band], (from, to): (f64, f64)) -> Result<(), Failure> {
    let left = i32::try_from(LEFT).unwrap_or(0);
    let right = i32::try_from(SIZE.0.saturating_sub(RIGHT)).unwrap_or(0);
    #[expect(clippy::cast_possible_truncation, reason = "a pixel")]
    let pixel = |time_s: f64| left + ((time_s - from) / (to - from) * f64::from(right - left)) as i32;
    let mut longest: Vec<&Band> = bands.iter().collect();
    longest.sort_by(|one, other| (other.to_s - other.from_s).total_cmp(&(one.to_s - one.from_s)));
    let mut rows: [Vec<(i32, i32)>; ROWS] = Default::default();
    for band in longest {
        let words = format!("{} {:.1} s", band.name, band.to_s - band.from_s);
        let width = i32::try_from(words.len()).unwrap_or(0) * 6 + 10;
        let (begin, end) = (pixel(band.from_s), pixel(band.to_s));
        let place = (0_i32..)
            .zip(&mut rows)
            .find_map(|(row, taken)| Some((row, place(taken, begin.min(right - width), end, width)?)));
        let Some((row, x)) = place else { continue };
        let bottom = i32::try_from(STRIP).unwrap_or(0);
        strip.draw(&PathElement::new([(begin, row * ROW + 2), (begin, bottom)], RGBColor(190, 190, 190)))?;
        strip.draw(&Text::new(words, (x + 3, row * ROW + 2), ("sans-serif", 12)))?;
    }
    Ok(())
}

/// A free position in a row: at the begin of the band, or further right within it.
fn place(taken: &mut Vec<(i32, i32)>, begin: i32, end: i32, width: i32) -> Option<i32> {
    let is_free = |x: i32| taken.iter().all(|(from, to)| x + width <= *from || x >= *to);
    let after = taken.iter().map(|(_, to)| *to).filter(|x| *x > begin && x + width <= end);
    let x = std::iter::once(begin).chain(after).find(|x| is_free(*x))?;
    taken.push((x, x + width));
    Some(x)
}

/// `ccs decode --plot` as a report.
pub(super) struct Plot<'a> {
    name: &'a str,
    file: File,
    curves: Curves,
}

impl<'a> Plot<'a> {
    /// Draws the file `name` into `file`.
    pub(super) fn new(name: &'a str, file: File) -> Self {
        Self { name, file, curves: Curves::default() }
    }
}

impl Report for Plot<'_> {
    fn event(&mut self, event: &Event<'_>, _out: &mut dyn Write) -> io::Result<()> {
        self.curves.take(event);
        Ok(())
    }

    fn end(&mut self, _totals: &Totals<'_>, _out: &mut dyn Write) -> io::Result<()> {
        let svg = self.curves.svg(&Plain(&title(self.name)).to_string()).map_err(io::Error::other)?;
        self.file.write_all(svg.as_bytes())
    }
}

/// Name of a file without its folder.
pub(super) fn title(name: &str) -> String {
    name.rsplit('/').next().unwrap_or_default().to_owned()
}
