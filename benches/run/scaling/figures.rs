//! What was measured, as it is kept in docs/benchmarks/scaling.json: from it alone the plots and tables are made.

use std::{fmt::Write as _, fs};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::dimensions::Dimension;
use crate::{
    document,
    figures::{Spread, spread},
    plot::{self, Panel},
};

const FILE: &str = "benchmarks/scaling.json";

/// One thing that was varied.
#[derive(Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) machine: String,
    pub(crate) points: Vec<Measured>,
}

/// A value that it had.
#[derive(Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) label: String,
    /// The mean size of an event.
    pub(crate) bytes: f64,
    pub(crate) rounds: Vec<Round>,
}

/// A round of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Round {
    pub(crate) events_per_s: f64,
    pub(crate) cpu_us_per_event: f64,
}

impl Measured {
    fn rates(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|round| round.events_per_s)
    }

    fn cpu(&self) -> impl Iterator<Item = f64> {
        self.rounds.iter().map(|round| round.cpu_us_per_event)
    }

    fn megabytes(&self) -> impl Iterator<Item = f64> {
        self.rates().map(|rate| rate * self.bytes / 1e6)
    }
}

/// What was kept, with these in the place of older ones; in the order of the dimensions.
pub(crate) fn keep(new: Vec<Series>) -> anyhow::Result<Vec<Series>> {
    let path = document::path(FILE);
    let mut all = if path.exists() { read()? } else { Vec::new() };
    all.retain(|old| new.iter().all(|new| new.name != old.name));
    all.extend(new);
    all.sort_by_key(|series| Dimension::ALL.iter().position(|dimension| dimension.name() == series.name));
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&all)?))?;
    Ok(all)
}

pub(crate) fn read() -> anyhow::Result<Vec<Series>> {
    let path = document::path(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))
}

impl Series {
    fn dimension(&self) -> anyhow::Result<Dimension> {
        let found = Dimension::ALL.into_iter().find(|dimension| dimension.name() == self.name);
        found.with_context(|| format!("{} is no dimension", self.name))
    }

    /// Draws its plot and writes its section.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let (dimension, image) = (self.dimension()?, format!("benchmarks/{}.svg", self.name));
        let labels: Vec<_> = self.points.iter().map(|point| &point.label[..]).collect();
        plot::bars(&document::path(&image), dimension.axis(), &labels, &self.panels(dimension))?;
        let alt = format!("events a second and CPU an event by {}", dimension.axis());
        let text = format!("![{alt}]({image})\n\n{}\n{}.\n", self.table()?, self.machine);
        document::write(&format!("scaling: {}", self.name), &text)
    }

    fn panels(&self, dimension: Dimension) -> Vec<Panel> {
        let points = || self.points.iter();
        let mut panels = vec![
            Panel { axis: "events/s", values: points().map(|point| Spread::of(point.rates())).collect(), digits: 0 },
            Panel { axis: "CPU µs/event", values: points().map(|point| Spread::of(point.cpu())).collect(), digits: 1 },
        ];
        if dimension == Dimension::Sizes {
            let values = points().map(|point| Spread::of(point.megabytes())).collect();
            panels.push(Panel { axis: "MB/s", values, digits: 0 });
        }
        panels
    }

    /// Medians, least and most.
    pub(crate) fn table(&self) -> anyhow::Result<String> {
        let dimension = self.dimension()?;
        let of_size = dimension == Dimension::Sizes;
        let (name, rule) = if of_size { (" MB/s |", "---|") } else { ("", "") };
        let mut text = format!("| {} | events/s | CPU µs/event |{name}\n|---|---|---|{rule}\n", dimension.axis());
        for point in &self.points {
            let (rate, cpu) = (spread(point.rates(), 0), spread(point.cpu(), 1));
            let megabytes = if of_size { format!(" {} |", spread(point.megabytes(), 0)) } else { String::new() };
            // Writing into a String cannot fail.
            let _ = writeln!(text, "| {} | {rate} | {cpu} |{megabytes}", point.label);
        }
        Ok(text)
    }
}
