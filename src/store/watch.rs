//! The thread that keeps settings up to date. It compares content, not times: an editor's rename, a write in place and the
//! symbolic links that Kubernetes swaps all look alike to it.

use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{Reload, Settings, problem::Problem};

/// A running watch; it ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Settings {
    /// Looks for a change every so often, in a thread of its own, and logs what it finds. A change counts once two looks
    /// in a row saw it. `told` hears of every look that did not find everything unchanged.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn watch(
        self: &Arc<Self>,
        every: Duration,
        mut told: impl FnMut(&Reload) + Send + 'static,
    ) -> std::io::Result<Watch> {
        let (end, ended) = channel();
        let settings = Arc::clone(self);
        let look = move || {
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let reload = settings.refresh();
                if !matches!(reload, Reload::Unchanged) {
                    settings.log(&reload);
                    told(&reload);
                }
            }
        };
        let thread = std::thread::Builder::new().name("settings".to_owned()).spawn(look)?;
        Ok(Watch { end: Some(end), thread: Some(thread) })
    }

    fn log(&self, reload: &Reload) {
        let version = self.current.load().version();
        match reload {
            Reload::Unchanged => {}
            Reload::Applied { changes, warnings } => {
                let organizations = self.current.load().organizations().len();
                tracing::info!(version, organizations, changes = changes.join("; "), "settings reloaded");
                log_warnings(warnings);
            }
            Reload::Refused(error) => {
                tracing::error!(version, "{error}\nthe settings in use stay as they are until this is mended");
            }
        }
    }
}

/// Logs what is doubtful in settings.
pub fn log_warnings(warnings: &[Problem]) {
    for warning in warnings {
        tracing::warn!("settings: {warning}");
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            // A watch that panicked has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}
