//! What is said of a panic, whichever command it comes in: where, and not what. A panic's message can hold a value of an event.

use std::{
    io::Write,
    panic::{self, PanicHookInfo},
    thread,
};

/// Has every panic from here on told so, in the log of a command that writes one, else on standard error.
pub(super) fn tell_where_alone() {
    panic::set_hook(Box::new(tell));
}

fn tell(info: &PanicHookInfo<'_>) {
    let place = place(info);
    if tracing::enabled!(tracing::Level::ERROR) {
        let thread = thread::current();
        tracing::error!(thread = thread.name().unwrap_or_default(), location = place, "panic: a bug in attrsync");
    } else {
        // Nobody is left to tell when this fails.
        _ = writeln!(anstream::stderr(), "panic: a bug in attrsync, at {place}");
    }
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_is_told_by_its_place_and_not_by_its_message() {
        let (told, here) = (Arc::<Mutex<String>>::default(), thread::current().id());
        let (tell, before) = (Arc::clone(&told), panic::take_hook());
        panic::set_hook(Box::new(move |info| {
            // Other tests of this process may panic, too.
            if thread::current().id() == here {
                *tell.lock().unwrap() = place(info);
            }
        }));
        let panicked = panic::catch_unwind(|| panic!("ada@example.com"));
        panic::set_hook(before);
        assert!(panicked.is_err());
        let told = told.lock().unwrap();
        assert!(told.starts_with("src/cli/panics.rs:") && !told.contains("ada"), "{told}");
    }
}
