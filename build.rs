//! Says what to do when the files of `web/` were not built.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=migrations");
    if !std::path::Path::new("web/dist/.vite/manifest.json").exists() {
        println!("cargo::error=web/dist is missing: run `make web` (or `make build`) first");
    }
}
