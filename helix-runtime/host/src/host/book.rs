//! What modules and the host have written to the log: the last lines, for whoever asks.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Counts up from 1; a gap says how many lines are gone.
    pub number: u64,
    /// In seconds since 1970.
    pub time: f64,
    /// `ERROR` to `TRACE`.
    pub level: String,
    /// The module that has written it, or `helix`.
    pub module: String,
    /// What it says.
    pub text: String,
}

/// The last lines of the log. A program makes it its logger:
///
/// ```
/// use helix_host::LogBook;
/// let book = LogBook::leaked(log::LevelFilter::Info);
/// log::set_logger(book).map_err(|error| error.to_string())?;
/// log::set_max_level(log::LevelFilter::Info);
/// log::info!(target: "timer", "ticks");
/// assert_eq!(book.after(0, None)[0].text, "ticks");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct LogBook {
    lines: Mutex<Lines>,
    written: Condvar,
    /// From which level on lines are shown on stderr too.
    shown: log::LevelFilter,
}

#[derive(Debug, Default)]
struct Lines {
    last: VecDeque<Line>,
    count: u64,
}

impl LogBook {
    /// How many lines are kept.
    pub const KEPT: usize = 4096;
    /// How many letters a line can have; of a longer one these are kept.
    pub const LONGEST: usize = 8192;

    /// An empty book that shows lines from a level on.
    pub fn new(shown: log::LevelFilter) -> Self {
        Self { lines: Mutex::default(), written: Condvar::new(), shown }
    }

    /// The same, for as long as the process lives, as [`log::set_logger`] wants it.
    pub fn leaked(shown: log::LevelFilter) -> &'static Self {
        Box::leak(Box::new(Self::new(shown)))
    }

    /// The lines after that number, of one module or of all.
    pub fn after(&self, number: u64, module: Option<&str>) -> Vec<Line> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let meant = |line: &&Line| line.number > number && module.is_none_or(|module| line.module == module);
        lines.last.iter().filter(meant).cloned().collect()
    }

    /// Waits until there are lines after that number, but no longer than that.
    pub fn wait(&self, number: u64, time: Duration) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.written.wait_timeout_while(lines, time, |lines| lines.count <= number));
    }
}

/// A text in which nothing looks like another line of the log, whoever has written it: what follows a line feed stands further
/// in, and nothing is there that a terminal obeys.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(LogBook::LONGEST));
    for (at, line) in text.trim_end().split('\n').enumerate() {
        if at > 0 {
            plain.push_str(if line.starts_with("  ") { "\n" } else { "\n  " });
        }
        let left = LogBook::LONGEST.saturating_sub(plain.len());
        plain.extend(line.chars().take(left).map(|letter| match letter {
            '\t' => letter,
            letter if letter.is_control() => ' ',
            letter => letter,
        }));
        if line.len() > left {
            plain.push_str("...");
            break;
        }
    }
    plain
}

impl log::Log for LogBook {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let (level, module, text) =
            (record.level().to_string(), record.target().to_string(), plain(&record.args().to_string()));
        if record.level() <= self.shown {
            // Whoever reads it may be gone.
            let _ = writeln!(std::io::stderr(), "{:<5} {module}: {text}", level.to_lowercase());
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.count += 1;
        if lines.last.len() == Self::KEPT {
            lines.last.pop_front();
        }
        let number = lines.count;
        lines.last.push_back(Line { number, time, level, module, text });
        drop(lines);
        self.written.notify_all();
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_looks_like_another_line() {
        assert_eq!(plain("ended\n  its last words\n"), "ended\n  its last words");
        assert_eq!(plain("no\nerror helix: forged\x1b[2J\r"), "no\n  error helix: forged [2J");
        assert_eq!(plain("a\tb"), "a\tb");
        let long = plain(&"long\n".repeat(LogBook::LONGEST));
        assert!(long.len() <= LogBook::LONGEST + 8, "{}", long.len());
        assert!(long.ends_with("..."));
        assert_eq!(plain(&"x".repeat(3 * LogBook::LONGEST)).len(), LogBook::LONGEST + 3);
    }
}
