//! Where libraries are: dots in their places, drawn as SVG.

use maud::{Markup, PreEscaped, html};

use super::Shell;

/// A region in its place.
#[derive(Clone, Debug)]
pub struct Dot {
    /// `/regions/{code}`.
    pub href: String,
    /// Its name.
    pub name: String,
    /// WGS 84, degrees.
    pub longitude: f64,
    /// WGS 84, degrees.
    pub latitude: f64,
    /// Libraries of it and of all below.
    pub libraries: u64,
}

/// Width of the drawing; its height follows from the places.
const WIDTH: f64 = 480.0;

/// From the outermost dots to the edge, where names need place.
const MARGIN: f64 = 56.0;

/// The drawing; nothing with fewer than two places, which tell nothing.
pub(super) fn map(shell: &Shell, dots: &[Dot]) -> Markup {
    if dots.len() < 2 {
        return html! {};
    }
    let (placed, height) = placed(dots);
    html! {
        figure.map {
            svg viewBox=(format!("0 0 {WIDTH} {height:.0}")) role="group"
                aria-label=(shell.pick("资源库所在的地方", "Where the libraries are")) {
                (PreEscaped(lattice(height)))
                @for (dot, (x, y)) in dots.iter().zip(placed) {
                    a href=(dot.href) {
                        title { (dot.name) " · " (shell.lang.count(dot.libraries, "个资源库", "library", "libraries")) }
                        circle.map-halo cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r=(format!("{:.1}", radius(dot.libraries) + 6.0)) {}
                        circle.map-dot cx=(format!("{x:.1}")) cy=(format!("{y:.1}")) r=(format!("{:.1}", radius(dot.libraries))) {}
                        text.map-count x=(format!("{x:.1}")) y=(format!("{:.1}", y + 5.0)) text-anchor="middle" { (dot.libraries) }
                        text.map-name x=(format!("{x:.1}")) y=(format!("{:.1}", y + radius(dot.libraries) + 24.0)) text-anchor="middle" { (dot.name) }
                    }
                }
            }
        }
    }
}

/// Areas, not radii, are as the numbers.
fn radius(libraries: u64) -> f64 {
    (11.0 + 2.5 * (libraries as f64).sqrt()).min(32.0)
}

/// Where each dot stands, north up, with equal scales in both directions; and the height of the
/// drawing.
fn placed(dots: &[Dot]) -> (Vec<(f64, f64)>, f64) {
    let middle = dots.iter().map(|dot| dot.latitude).sum::<f64>() / dots.len() as f64;
    // A degree of longitude is shorter the further north it is.
    let flat: Vec<(f64, f64)> =
        dots.iter().map(|dot| (dot.longitude * middle.to_radians().cos(), -dot.latitude)).collect();
    let least = |of: fn(&(f64, f64)) -> f64| flat.iter().map(of).fold(f64::INFINITY, f64::min);
    let most = |of: fn(&(f64, f64)) -> f64| flat.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
    let (left, top) = (least(|at| at.0), least(|at| at.1));
    let (wide, high) = (most(|at| at.0) - left, most(|at| at.1) - top);
    // Neither a flat line nor a tower: what is in a row or a column gets room all the same.
    let inner = WIDTH - 2.0 * MARGIN;
    let scale = (inner / wide.max(1e-9)).min(inner / high.max(1e-9)).min(1e6);
    let height = (high * scale + 2.0 * MARGIN).max(160.0);
    let (dx, dy) = ((WIDTH - wide * scale) / 2.0, (height - high * scale) / 2.0);
    let place = |at: &(f64, f64)| (dx + (at.0 - left) * scale, dy + (at.1 - top) * scale);
    (flat.iter().map(place).collect(), height)
}

/// Faint lines behind the dots, so that the drawing has a ground.
fn lattice(height: f64) -> String {
    let mut path = String::new();
    let mut at = 24.0;
    while at < WIDTH.max(height) {
        if at < WIDTH {
            path.push_str(&format!("M{at} 0V{height:.0}"));
        }
        if at < height {
            path.push_str(&format!("M0 {at}H{WIDTH}"));
        }
        at += 48.0;
    }
    format!(r#"<path class="map-ground" d="{path}"/>"#)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dot(longitude: f64, latitude: f64) -> Dot {
        Dot { href: String::new(), name: String::new(), longitude, latitude, libraries: 1 }
    }

    #[test]
    fn north_is_up_and_east_is_right() {
        let (at, _) = placed(&[dot(118.8, 35.1), dot(119.5, 35.7)]);
        assert!(at[0].0 < at[1].0 && at[0].1 > at[1].1);
    }

    proptest! {
        #[test]
        fn every_place_is_in_the_drawing(
            places in proptest::collection::vec((-180.0..=180.0, -90.0..=90.0), 2..20)
        ) {
            let dots: Vec<Dot> = places.iter().map(|(x, y)| dot(*x, *y)).collect();
            let (at, height) = placed(&dots);
            for (x, y) in at {
                prop_assert!((0.0..=WIDTH).contains(&x) && (0.0..=height).contains(&y), "{x} {y}");
            }
        }
    }
}
