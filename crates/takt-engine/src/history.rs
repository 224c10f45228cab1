//! History from the first day: releases and request outcomes, which no later report could make up.

/// One start with a changed project, schema, binary or setting.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Release {
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// Fingerprint of all project files.
    pub project: String,
    /// Fingerprint of the schema.
    pub schema: String,
    /// Version and fingerprint of the binary.
    pub binary: String,
    /// Fingerprint of the settings.
    pub settings: String,
    /// Commit of the folder, if it is a git checkout.
    pub commit: Option<String>,
    /// Seconds between the last sign of life and this start.
    pub not_serving_seconds: Option<i64>,
    /// Whether the state is one that was served before the previous one (a roll-back).
    pub came_back: bool,
}

/// Request outcomes of one minute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestMinute {
    /// Minutes since 1970 UTC.
    pub minute: i64,
    /// Answered below 500.
    pub succeeded: u64,
    /// Answered 500 and above.
    pub failed: u64,
    /// How many took up to 1, 2, 4, ... 2^14 milliseconds, and longer (16 buckets).
    pub latency: [u64; 16],
}

impl crate::Engine {
    /// Writes a release record if something changed since the last one; returns it then.
    ///
    /// # Errors
    /// See [`crate::EngineError`].
    pub fn record_start(&self, release: Release) -> Result<Option<Release>, crate::EngineError> {
        let _ = release;
        todo!("engine")
    }

    /// All releases, newest first.
    ///
    /// # Errors
    /// See [`crate::EngineError`].
    pub fn releases(&self, limit: u64) -> Result<Vec<Release>, crate::EngineError> {
        let _ = limit;
        todo!("engine")
    }

    /// Adds counts to their minutes.
    ///
    /// # Errors
    /// See [`crate::EngineError`].
    pub async fn record_minutes(&self, minutes: Vec<RequestMinute>) -> Result<(), crate::EngineError> {
        let _ = minutes;
        todo!("engine")
    }

    /// The recorded minutes since `minute`, oldest first.
    ///
    /// # Errors
    /// See [`crate::EngineError`].
    pub fn minutes_since(&self, minute: i64) -> Result<Vec<RequestMinute>, crate::EngineError> {
        let _ = minute;
        todo!("engine")
    }
}
