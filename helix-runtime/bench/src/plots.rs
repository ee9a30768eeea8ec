//! The plots: nanoseconds, and how many times the floor, as something grows. Colours that a light and a dark page bear.

use std::error::Error;
use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::report::short;

const TEXT: RGBColor = RGBColor(128, 128, 128);
const GRID: RGBAColor = RGBAColor(128, 128, 128, 0.25);
const FLOOR: RGBColor = RGBColor(150, 150, 150);
const OURS: RGBColor = RGBColor(59, 130, 246);

/// A curve that was measured.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// What grows.
    pub grows: &'static str,
    /// What the nanoseconds are for.
    pub each: &'static str,
    /// Whether the axis of what grows is logarithmic.
    pub is_log: bool,
    /// What was measured.
    pub points: Vec<Place>,
}

/// One point of it.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Where it is.
    pub at: f64,
    /// The floor's nanoseconds.
    pub floor: f64,
    /// Ours.
    pub ours: f64,
    /// How many times the floor.
    pub ratio: f64,
}

/// One line of a panel.
struct Series {
    name: &'static str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

impl Drawn {
    fn series(&self, name: &'static str, colour: RGBColor, of: fn(&Place) -> f64) -> Series {
        Series { name, colour, points: self.points.iter().map(|place| (place.at, of(place))).collect() }
    }
}

impl Drawn {
    /// How the ratio goes, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let ends = self.points.first().zip(self.points.last());
        ends.map_or_else(String::new, |(first, last)| {
            let show = |place: &Place| format!("{} ns, {:.2}x the floor", short(place.ours), place.ratio);
            format!("A {} takes {} at {}, and {} at {}.", self.each, show(first), first.at, show(last), last.at)
        })
    }

    fn domain(&self) -> Range<f64> {
        let (first, last) = (self.points[0].at, self.points[self.points.len() - 1].at);
        if self.is_log { first * 0.9..last * 1.1 } else { first - 0.2..last + 0.2 }
    }
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a curve: nanoseconds on the left, the ratio on the right.
///
/// # Errors
/// The file could not be written.
pub fn draw(file: &Path, drawn: &Drawn) -> Result<(), Box<dyn Error>> {
    let root = SVGBackend::new(file, (860, 340)).into_drawing_area();
    let (left, right) = root.split_horizontally(430);
    let ns = [drawn.series("floor", FLOOR, |place| place.floor), drawn.series("ours", OURS, |place| place.ours)];
    panel(&left, &format!("ns for one {}", drawn.each), drawn, &ns)?;
    let ratio = [drawn.series("floor", FLOOR, |_| 1.0), drawn.series("ours", OURS, |place| place.ratio)];
    panel(&right, "times the floor", drawn, &ratio)?;
    root.present()?;
    Ok(())
}

fn panel(area: &Area<'_>, title: &str, drawn: &Drawn, lines: &[Series]) -> Result<(), Box<dyn Error>> {
    let top = lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(0.0, f64::max);
    // Room for the legend above the lines.
    let top = top * 1.3;
    let mut builder = ChartBuilder::on(area);
    let font = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
    builder.caption(title, font(15)).margin(8).margin_right(24).x_label_area_size(40).y_label_area_size(48);
    // The two kinds of axis are two types, drawn alike.
    macro_rules! draw {
        ($x:expr) => {{
            let mut chart = builder.build_cartesian_2d($x, 0.0..top)?;
            chart
                .configure_mesh()
                .axis_style(TEXT)
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .label_style(font(12))
                .axis_desc_style(font(12))
                .x_labels(drawn.points.len())
                .x_desc(drawn.grows)
                .x_label_formatter(&|x| format!("{x}"))
                .y_label_formatter(&|y| format!("{y}"))
                .draw()?;
            for Series { name, colour, points } in lines {
                let style = colour.stroke_width(2);
                chart
                    .draw_series(LineSeries::new(points.clone(), style).point_size(3))?
                    .label(*name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], style));
            }
            chart
                .configure_series_labels()
                .position(SeriesLabelPosition::UpperRight)
                .label_font(font(12))
                .border_style(TRANSPARENT)
                .draw()?;
        }};
    }
    if drawn.is_log {
        draw!(drawn.domain().log_scale());
    } else {
        draw!(drawn.domain());
    }
    Ok(())
}
