//! A backup gives way to those who are waiting for an answer.

/// How far back the thread stands: half of what there is.
const NICE: i32 = 10;

/// From now on this thread, and those that it starts, get the processor when others leave it.
pub fn give_way() {
    let this = rustix::thread::gettid();
    if let Err(error) = rustix::process::setpriority_process(Some(this), NICE) {
        tracing::debug!(%error, "the thread for backups keeps its priority");
    }
}
