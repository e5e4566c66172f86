//! The program: see the library's `cmd`.

use std::process::ExitCode;

fn main() -> ExitCode {
    duoku::cmd::main()
}
