//! Finds the slides of videos and tells what it cost: `cargo run --release --example slides -- FILE...`

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for developers")]

use std::fs::File;
use std::time::Instant;

use transcode::{Input, Policy};

fn main() {
    for name in std::env::args().skip(1) {
        let mut input = match Input::open(File::open(&name).unwrap()) {
            Ok(i) => i,
            Err(_) => continue,
        };
        let probe = transcode::probe(&mut input).unwrap();
        let Ok(plan) = transcode::plan(&probe, &Policy::default()) else { continue };
        let out = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let found = transcode::slides(&mut input, &plan, out.path(), &mut |_| Ok(())).unwrap();
        let spent = begun.elapsed().as_secs_f64();
        println!("{name}: {} slides of {} s in {spent:.2} s", found.len(), plan.duration_ms / 1000);
        for slide in &found {
            println!(
                "  {:>7} {:>7} {}x{}",
                slide.start_ms, slide.end_ms, slide.width, slide.height
            );
        }
        if let Some(to) = std::env::var_os("SLIDES_OUT") {
            for slide in found {
                std::fs::copy(
                    out.path().join(&slide.file),
                    std::path::Path::new(&to).join(slide.file),
                )
                .unwrap();
            }
        }
    }
}
