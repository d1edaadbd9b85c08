//! docs/METRICS.md.

use std::fmt::Write;

use super::{Metric, list};

/// The page.
#[must_use]
pub fn markdown() -> String {
    let mut page = "\
# Metrics

Generated from `src/observe/metrics/list.rs`. A worker serves them as OpenMetrics text at `/metrics` of `admin.address`, the dashboard at
`/metrics` of `dashboard.address`, where it asks for its token like everything else it answers. Names and units follow Prometheus's conventions. No
label ever holds what a sender chose, and none grows with the number of organizations. deploy/ has alerts and a Grafana dashboard
made of them; [OPERATIONS.md](OPERATIONS.md) says what to do about each alert.
"
    .to_owned();
    for (title, group) in
        [("A worker", list::WORKER), ("The dashboard", list::DASHBOARD), ("Every process", list::PROCESS)]
    {
        // Writing to a String cannot fail.
        _ = write!(
            page,
            "\n## {title}\n\n| metric | kind | unit | labels | what it tells | when to look at it |\n|---|---|---|---|---|---|\n"
        );
        group.iter().for_each(|metric| row(&mut page, metric));
    }
    page
}

fn row(page: &mut String, metric: &Metric) {
    let code =
        |names: &mut dyn Iterator<Item = String>| names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let names = code(&mut metric.series().into_iter());
    let labels = code(&mut metric.labels.iter().map(|label| (*label).to_owned()));
    let Metric { kind, help, when, .. } = metric;
    _ = writeln!(page, "| {names} | {} | {} | {labels} | {help} | {when} |", kind.as_str(), metric.unit());
}
