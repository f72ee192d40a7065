//! How often something is tried again, and after which pause.
//!
//! In: why a try failed, how much it brought, and what the server asks for (`Retry-After`, RFC 9110 section 10.2.3, in seconds
//! or as a date; `RateLimit`, which the hub sends, draft-ietf-httpapi-ratelimit-headers). Out: a pause that the user can end,
//! or the reason, where another try would not help.

use std::time::{Duration, Instant};

use super::error::{Failure, SourceError};
use super::options::HubOptions;
use crate::progress::Progress;

/// How often something is tried that gains nothing, where time may help: a busy server, a connection that breaks.
const TRIES: u32 = 5;
/// How often where time does not help, but another server behind the same name may: answers that contradict each other.
const FEW_TRIES: u32 = 2;
/// A try that brought this many bytes is worth going on with, however often it breaks off.
const GAIN: u64 = 1 << 17;
/// The longest pause that a server may ask for; the hub counts requests in windows of five minutes.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// How often is looked whether the user wants to stop.
const TICK: Duration = Duration::from_millis(25);

/// Counts the tries of one thing.
pub(super) struct Retries {
    failures: u32,
    pause: Duration,
}

impl Retries {
    pub(super) fn new(options: &HubOptions) -> Self {
        Self { failures: 0, pause: options.retry_pause }
    }

    /// Waits until the next try may begin.
    ///
    /// # Errors
    /// The reason, where there is to be no next try; or that the user asks to stop.
    pub(super) fn wait(&mut self, reason: SourceError, gained: u64, progress: &dyn Progress) -> Result<(), Failure> {
        if gained >= GAIN {
            self.failures = 0;
        }
        self.failures += 1;
        let asked = match &reason {
            SourceError::Status { wait, .. } => *wait,
            _ => None,
        };
        if self.failures >= most_tries(&reason) || asked.is_some_and(|asked| asked > LONGEST_PAUSE) {
            return Err(reason.into());
        }
        let own = self.pause * 2_u32.pow(self.failures - 1);
        match asked.filter(|asked| *asked > own) {
            None => progress.notice(&format!("{reason}; trying again")),
            Some(asked) => {
                // A server that says how long means it; a second is what it counts in.
                progress.notice(&format!("{reason}; trying again in {} s, as it asks", asked.as_secs()));
            }
        }
        pause(asked.unwrap_or_default().max(own), progress)
    }
}

fn most_tries(reason: &SourceError) -> u32 {
    match reason {
        SourceError::Cut { .. } | SourceError::Stalled { .. } | SourceError::Reset { .. } => TRIES,
        SourceError::Status { status, .. } if *status == 429 || *status == 408 || *status >= 500 => TRIES,
        SourceError::Silent { .. } | SourceError::Disagreement { .. } => FEW_TRIES,
        _ => 1,
    }
}

/// Waits, as long as the user does.
fn pause(length: Duration, progress: &dyn Progress) -> Result<(), Failure> {
    let end = Instant::now() + length;
    loop {
        if progress.cancelled() {
            return Err(Failure::Cancelled);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(TICK));
    }
}

/// Returns how long a server asks to be left alone; none where it does not say so in a form that is known.
pub(super) fn asked_pause(
    retry_after: Option<&str>,
    rate_limit: Option<&str>,
    now: jiff::Timestamp,
) -> Option<Duration> {
    let stated = retry_after.and_then(|value| {
        let value = value.trim();
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            // More digits than fit are longer than anyone waits.
            return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
        }
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        let seconds = date.as_second().saturating_sub(now.as_second());
        Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    });
    let limited = || {
        let field = |name: &str| {
            let parts = rate_limit?.split(';').map(str::trim);
            parts.filter_map(|part| part.strip_prefix(name)).find_map(|value| value.parse::<u64>().ok())
        };
        // The header comes with every answer, and is the reason only where nothing is left.
        (field("r=")? == 0).then(|| field("t=").map(Duration::from_secs))?
    };
    stated.or_else(limited)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use std::sync::Mutex;

    #[test]
    fn pauses_are_read_in_every_form() {
        let now: jiff::Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        let asked =
            |after: Option<&str>, limit: Option<&str>| asked_pause(after, limit, now).map(|asked| asked.as_secs());
        assert_eq!(asked(Some("7"), None), Some(7));
        assert_eq!(asked(Some(" 120 "), None), Some(120));
        assert_eq!(asked(Some("Sun, 06 Nov 1994 08:49:37 GMT"), None), Some(37));
        assert_eq!(asked(Some("Sun, 06 Nov 1994 08:00:00 GMT"), None), Some(0), "a date that has passed");
        assert_eq!(asked(Some("99999999999999999999999"), None), Some(u64::MAX));
        assert_eq!(asked(None, Some("\"api\";r=0;t=55")), Some(55));
        assert_eq!(asked(None, Some("\"api\";r=12;t=55")), None, "there is something left");
        assert_eq!(asked(Some("soon"), Some("\"api\";r=0;t=3")), Some(3));
        for nothing in ["", "-1", "1.5", "soon"] {
            assert_eq!(asked(Some(nothing), None), None, "{nothing}");
        }
    }

    /// Keeps what it is told.
    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Progress for Told {
        fn notice(&self, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    fn retries() -> Retries {
        Retries { failures: 0, pause: Duration::from_millis(1) }
    }

    fn cut() -> SourceError {
        SourceError::Cut { got: 1, expected: 2, reason: "reset".into() }
    }

    #[test]
    fn tries_are_counted_and_a_gain_starts_the_count_anew() {
        let mut without = retries();
        let lasted = (0..100).take_while(|_| without.wait(cut(), GAIN - 1, &Silent).is_ok()).count();
        assert_eq!(lasted, 4);
        let mut with = retries();
        assert!((0..100).all(|_| with.wait(cut(), GAIN, &Silent).is_ok()));
        let gone = SourceError::NoFile { url: "u".into() };
        assert!(matches!(retries().wait(gone, GAIN, &Silent), Err(Failure::Source(SourceError::NoFile { .. }))));
    }

    #[test]
    fn what_a_server_asks_for_is_waited_for_said_and_capped() {
        let busy =
            |seconds| SourceError::Status { status: 429, url: "u".into(), wait: Some(Duration::from_secs(seconds)) };
        let (told, start) = (Told::default(), Instant::now());
        retries().wait(busy(1), 0, &told).unwrap();
        assert!(start.elapsed() >= Duration::from_secs(1));
        assert!(told.0.lock().unwrap()[0].ends_with("trying again in 1 s, as it asks"));
        assert!(retries().wait(busy(301), 0, &told).is_err(), "nobody waits that long");
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_pause_ends_when_the_user_asks_to_stop() {
        struct Stopped;
        impl Progress for Stopped {
            fn cancelled(&self) -> bool {
                true
            }
        }
        let busy = SourceError::Status { status: 503, url: "u".into(), wait: Some(Duration::from_secs(200)) };
        assert!(matches!(retries().wait(busy, 0, &Stopped), Err(Failure::Cancelled)));
    }
}
