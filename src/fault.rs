//! Places where a test can end this process like `kill -9`: `FAILPOINTS=part-stored=return`, with
//! the forms of the crate `fail`. A build without the feature `failpoints` has none of it.

/// Passes the place called `name`.
#[inline]
#[cfg_attr(not(feature = "failpoints"), expect(unused_variables, reason = "nothing to do"))]
pub fn at(name: &str) {
    #[cfg(feature = "failpoints")]
    fail::fail_point!(name, |_| end());
}

/// Reads the variable `FAILPOINTS`; what it gives must live as long as the program.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn set_up() -> fail::FailScenario<'static> {
    fail::FailScenario::setup()
}

#[cfg(feature = "failpoints")]
fn end() {
    use rustix::process::{Signal, getpid, kill_process};
    kill_process(getpid(), Signal::KILL).expect("a process may end itself");
}
