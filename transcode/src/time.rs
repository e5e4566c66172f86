//! Media time: the source's time stamps brought to ticks from the start of the presentation.

use ffmpeg_next::Rational;

/// Ticks a second of every video rendition.
pub const VIDEO_SCALE: u32 = 90_000;

/// A time stamp of the source as ticks of `scale` from media time 0 at `start_us`, rounded once.
pub(crate) fn ticks(stamp: i64, base: Rational, start_us: i64, scale: u32) -> i64 {
    let den = i128::from(base.denominator().max(1));
    let shifted =
        i128::from(stamp) * i128::from(base.numerator()) * 1_000_000 - i128::from(start_us) * den;
    round(shifted.saturating_mul(i128::from(scale)), den * 1_000_000)
}

/// A time stamp of the source in microseconds. Clocks of this world fit in 285 years; what is
/// beyond is damage and cut, so that times can be added and subtracted.
pub(crate) fn micros(stamp: i64, base: Rational) -> i64 {
    ticks(stamp, base, 0, 1_000_000).clamp(-(1 << 53), 1 << 53)
}

/// The source's time stamp for a media time in ticks: the inverse of [`ticks`].
pub(crate) fn stamp(ticks: i64, scale: u32, start_us: i64, base: Rational) -> i64 {
    let (num, den) = (i128::from(base.numerator().max(1)), i128::from(base.denominator()));
    let micros = i128::from(ticks) * 1_000_000 + i128::from(start_us) * i128::from(scale);
    round(micros.saturating_mul(den), i128::from(scale) * 1_000_000 * num)
}

/// Milliseconds as ticks, downwards.
pub(crate) fn from_ms(ms: i64, scale: u32) -> i64 {
    ms.saturating_mul(i64::from(scale)).div_euclid(1_000)
}

/// To the nearest, halves upwards; far out of range is cut to what an `i64` holds.
fn round(num: i128, den: i128) -> i64 {
    let rounded = num.saturating_mul(2).saturating_add(den).div_euclid(den * 2);
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ntsc_frames_fall_on_exact_ticks() {
        let base = Rational::new(1001, 30_000);
        assert_eq!(ticks(0, base, 0, VIDEO_SCALE), 0);
        assert_eq!(ticks(1, base, 0, VIDEO_SCALE), 3003);
        assert_eq!(ticks(100, base, 33_367, VIDEO_SCALE), 300_300 - 3003);
    }

    proptest! {
        #[test]
        fn there_and_back(t in -1_000_000_000_i64..10_000_000_000, start in -5_000_000_i64..90_000_000_000) {
            let base = Rational::new(1, 90_000);
            let back = ticks(stamp(t, VIDEO_SCALE, start, base), base, start, VIDEO_SCALE);
            prop_assert!((back - t).abs() <= 1);
        }

        #[test]
        fn nothing_overflows(t: i64, num in 1_i32..i32::MAX, den in 1_i32..i32::MAX, start: i64) {
            let base = Rational::new(num, den);
            let _ = ticks(t, base, start, VIDEO_SCALE);
            prop_assert!(micros(t, base).unsigned_abs() <= 1 << 53);
            let _ = stamp(t, VIDEO_SCALE, start, base);
        }
    }
}
