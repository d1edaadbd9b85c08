//! Plots as SVG: the same figures give the same file. Each has a background of its own, so that it reads on a dark page, too.

use std::{error::Error, fs, path::Path};

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use crate::figures::{Spread, grouped};

const BAR: RGBColor = RGBColor(0x5b, 0x8d, 0xb8);
const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const GRID: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
const PANEL: (u32, u32) = (460, 320);
const FONT: &str = "sans-serif";

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// A measure: its axis with the unit, and a value for each label; none where it could not be measured.
pub(crate) struct Panel {
    pub(crate) axis: &'static str,
    pub(crate) values: Vec<Option<Spread>>,
    pub(crate) digits: usize,
}

/// Bars of medians with a line from the least to the most, a panel for each measure.
pub(crate) fn bars(path: &Path, axis: &str, labels: &[&str], panels: &[Panel]) -> anyhow::Result<()> {
    draw(path, panels, |area, panel| bar_panel(area, axis, labels, panel))
}

/// A measure over time: its axis with the unit, and seconds and value of each point.
pub(crate) struct Course {
    pub(crate) axis: &'static str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines from 0, a panel for each measure.
pub(crate) fn courses(path: &Path, courses: &[Course]) -> anyhow::Result<()> {
    draw(path, courses, line_panel)
}

/// Draws panels side by side and writes the file.
fn draw<P>(path: &Path, panels: &[P], panel: impl Fn(&Area<'_>, &P) -> Result<()>) -> anyhow::Result<()> {
    let mut svg = String::new();
    let size = (PANEL.0 * u32::try_from(panels.len())?, PANEL.1);
    let mut drawn = || -> Result<()> {
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&WHITE)?;
        for (area, each) in root.split_evenly((1, panels.len())).iter().zip(panels) {
            panel(area, each)?;
        }
        root.present()?;
        Ok(())
    };
    drawn().map_err(|error| anyhow::anyhow!("drawing {}: {error}", path.display()))?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, svg)?;
    Ok(())
}

fn bar_panel(area: &Area<'_>, axis: &str, labels: &[&str], panel: &Panel) -> Result<()> {
    let most = panel.values.iter().flatten().map(|value| value.most).fold(0.0, f64::max);
    let mut chart = builder(area).build_cartesian_2d(-0.5..labels.len() as f64 - 0.5, 0.0..top(most))?;
    let format = |value: &f64| grouped(*value, digits(most));
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().light_line_style(WHITE).bold_line_style(GRID).axis_style(INK);
    mesh.x_labels(0).y_label_formatter(&format).label_style(text(13)).axis_desc_style(text(15));
    mesh.x_desc(axis).y_desc(panel.axis).draw()?;
    for ((at, label), value) in (0..).zip(labels).zip(&panel.values) {
        let at = f64::from(at);
        let below = text(13).pos(Pos::new(HPos::Center, VPos::Top));
        chart.draw_series([EmptyElement::at((at, 0.0)) + Text::new((*label).to_owned(), (0, 7), below)])?;
        let Some(Spread { median, least, most }) = *value else { continue };
        let above = text(13).pos(Pos::new(HPos::Center, VPos::Bottom));
        let told = Text::new(grouped(median, panel.digits), (0, -3), above);
        chart.draw_series([Rectangle::new([(at - 0.36, 0.0), (at + 0.36, median)], BAR.filled())])?;
        chart.draw_series([PathElement::new([(at, least), (at, most)], INK.stroke_width(2))])?;
        chart.draw_series([EmptyElement::at((at, most)) + told])?;
    }
    Ok(())
}

fn line_panel(area: &Area<'_>, course: &Course) -> Result<()> {
    let most = course.points.iter().map(|point| point.1).fold(0.0, f64::max);
    let end = course.points.last().map_or(1.0, |point| point.0);
    let mut chart = builder(area).build_cartesian_2d(0.0..end, 0.0..top(most))?;
    let (seconds, format) = (|value: &f64| format!("{value:.0}"), |value: &f64| grouped(*value, digits(most)));
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(WHITE).bold_line_style(GRID).axis_style(INK);
    mesh.x_label_formatter(&seconds).y_label_formatter(&format).label_style(text(13)).axis_desc_style(text(15));
    mesh.x_desc("seconds").y_desc(course.axis).draw()?;
    chart.draw_series(LineSeries::new(course.points.iter().copied(), BAR.stroke_width(2)))?;
    Ok(())
}

fn builder<'a, 'b>(area: &'a Area<'b>) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin(14).x_label_area_size(46).y_label_area_size(72);
    builder
}

fn text(size: i32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

/// Where an axis ends: room for the label of the highest value; never nothing.
fn top(most: f64) -> f64 {
    if most > 0.0 { most * 1.15 } else { 1.0 }
}

/// An axis that ends below 10 has a digit after the point.
fn digits(most: f64) -> usize {
    usize::from(most < 10.0)
}
