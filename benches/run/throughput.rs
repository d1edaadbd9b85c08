//! Working off a backlog: the figures of one run, on one line.

use crate::{
    input::Input,
    peers::mixes::{Maker, Mix},
    print,
    watch::Watch,
    worker::Running,
};

pub(crate) fn measure(events: i64) -> anyhow::Result<()> {
    let input = Input::prepare(Box::new(Maker::new(Mix::Hs256)), events)?;
    let mut watch = Watch::new(Running::attrsync(&input.topic, input.settings.path(), &[])?, &input.topic)?;
    let first = watch.until(1)?;
    let window = watch.window(first, events - first.committed)?;
    let memory = watch.running.peak_memory();
    watch.stop()?;
    print(&format!("throughput: {events} events of 700 B: {}, {memory} MiB at most", window.told()));
    Ok(())
}
