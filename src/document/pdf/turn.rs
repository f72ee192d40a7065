//! The direction that the lines of a page run in.
//!
//! In: letters as they are drawn, each at its angle. Out: [`Glyph`]s as if the paper were turned until its lines lie flat,
//! and how many letters are left out since they run otherwise: a note up the margin, a watermark across the page. A page
//! may be turned by its head (`/Rotate`), by its drawing, or a little by the scanner. Source: ISO 32000-1, 8.3 and 9.4.4.

use super::draw::Glyph;

/// How far the letters of one line may lean from it, in radians: one part up in ten along.
const LEAN: f32 = 0.1;

/// A letter as it is drawn.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    /// What it says.
    pub text: String,
    /// Where its baseline starts on the paper.
    pub start: (f32, f32),
    /// Where that ends.
    pub end: (f32, f32),
    /// The direction of the baseline, in radians against the clock.
    pub angle: f32,
    /// The size of its font.
    pub size: f32,
    /// Whether its font is bold.
    pub bold: bool,
}

impl Stroke {
    /// Stretches its baseline over another letter, where that stands on the same line.
    pub fn grow(&mut self, other: &Self) {
        let (sin, cos) = self.angle.sin_cos();
        let place = |point: (f32, f32)| {
            let (x, y) = (point.0 - self.start.0, point.1 - self.start.1);
            (x * cos + y * sin, y * cos - x * sin)
        };
        let (start, end, own) = (place(other.start), place(other.end), place(self.end).0);
        if start.1.abs() >= other.size {
            return;
        }
        let low = own.min(0.0).min(start.0).min(end.0);
        let high = own.max(0.0).max(start.0).max(end.0);
        let on_paper = |along: f32| (self.start.0 + along * cos, self.start.1 + along * sin);
        (self.start, self.end) = (on_paper(low), on_paper(high));
    }
}

/// A page with its lines laid flat.
#[derive(Debug, Default)]
pub(super) struct Upright {
    pub glyphs: Vec<Glyph>,
    /// How high the paper is.
    pub height: f32,
    /// Letters that run in another direction.
    pub left_out: usize,
}

/// Returns how far one direction is from another.
fn apart(one: f32, other: f32) -> f32 {
    let turn = std::f32::consts::TAU;
    let away = (one - other).rem_euclid(turn);
    away.min(turn - away)
}

/// Returns the direction that most letters run in.
fn direction(strokes: &[Stroke]) -> f32 {
    let mut bins = [0usize; 360];
    let printed = || strokes.iter().filter(|stroke| !stroke.text.trim().is_empty());
    for stroke in printed() {
        bins[stroke.angle.to_degrees().round().rem_euclid(360.0) as usize % 360] += 1;
    }
    let near = |bin: usize| (0..11).map(|away| bins[(bin + 355 + away) % 360]).sum::<usize>();
    // Where there are as many of two directions, the flat one is read.
    let most = (0..360).max_by_key(|&bin| (near(bin), bins[bin], bin == 0)).unwrap_or(0);
    let middle = (most as f32).to_radians();
    let mut leaning: Vec<f32> = printed()
        .filter(|stroke| apart(stroke.angle, middle) <= LEAN)
        .map(|stroke| {
            let away = apart(stroke.angle, middle);
            if apart(stroke.angle, middle + away) < 1e-4 { away } else { -away }
        })
        .collect();
    leaning.sort_by(f32::total_cmp);
    middle + leaning.get(leaning.len() / 2).copied().unwrap_or(0.0)
}

/// Turns the paper until most of its lines lie flat.
pub(super) fn upright(strokes: Vec<Stroke>, paper: (f32, f32)) -> Upright {
    let mut angle = direction(&strokes);
    if apart(angle, 0.0) < 1e-3 {
        angle = 0.0;
    }
    let (sin, cos) = angle.sin_cos();
    let flat = |(x, y): (f32, f32)| (x * cos + y * sin, y * cos - x * sin);
    let corners = [(0.0, 0.0), (paper.0, 0.0), (0.0, paper.1), paper].map(flat);
    let lowest = |pick: fn((f32, f32)) -> f32| corners.iter().copied().map(pick).fold(f32::INFINITY, f32::min);
    let (left, foot) = (lowest(|corner| corner.0), lowest(|corner| corner.1));
    let top = corners.iter().map(|corner| corner.1).fold(f32::NEG_INFINITY, f32::max);
    let mut out = Upright { height: top - foot, ..Upright::default() };
    for stroke in strokes {
        if apart(stroke.angle, angle) > LEAN {
            out.left_out += usize::from(!stroke.text.trim().is_empty());
            continue;
        }
        let (start, end) = (flat(stroke.start), flat(stroke.end));
        let Stroke { text, size, bold, .. } = stroke;
        let (x0, x1) = (start.0.min(end.0) - left, start.0.max(end.0) - left);
        out.glyphs.push(Glyph { text, x0, x1, y: start.1 - foot, size, bold });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws a line of ten letters, and a second one below it, at an angle.
    fn lines(degrees: f32, letters: usize) -> Vec<Stroke> {
        let angle = degrees.to_radians();
        let (sin, cos) = angle.sin_cos();
        let turned = |x: f32, y: f32| (300.0 + x * cos - y * sin, 300.0 + x * sin + y * cos);
        let each = |at: usize| {
            let (x, y) = ((at % 10) as f32 * 6.0, (at / 10) as f32 * -14.0);
            Stroke {
                text: at.to_string(),
                start: turned(x, y),
                end: turned(x + 6.0, y),
                angle: angle.sin().atan2(angle.cos()),
                size: 12.0,
                bold: false,
            }
        };
        (0..letters).map(each).collect()
    }

    #[test]
    fn lines_lie_flat_from_every_direction() {
        for degrees in [0.0, 3.3, 7.0, 45.5, 90.0, 180.0, 181.0, 270.0, -7.5, 359.6] {
            let page = upright(lines(degrees, 20), (600.0, 800.0));
            assert_eq!((page.glyphs.len(), page.left_out), (20, 0), "{degrees}");
            let first = page.glyphs[0].clone();
            for (at, glyph) in page.glyphs.iter().enumerate() {
                let (x, y) = ((at % 10) as f32 * 6.0, (at / 10) as f32 * -14.0);
                assert!((glyph.x0 - first.x0 - x).abs() < 0.1 && (glyph.y - first.y - y).abs() < 0.1, "{degrees} {at}");
                assert!((glyph.x1 - glyph.x0 - 6.0).abs() < 0.1, "{degrees} {at}");
            }
        }
    }

    #[test]
    fn what_runs_otherwise_is_counted() {
        let mut page = lines(0.0, 20);
        page.extend(lines(90.0, 8));
        let page = upright(page, (600.0, 800.0));
        assert_eq!((page.glyphs.len(), page.left_out, page.height), (20, 8, 800.0));
        let mut page = lines(0.0, 8);
        page.extend(lines(90.0, 20));
        let page = upright(page, (600.0, 800.0));
        assert_eq!((page.glyphs.len(), page.left_out), (20, 8));
        assert!((page.height - 600.0).abs() < 0.01);
        assert_eq!(upright(Vec::new(), (600.0, 800.0)).glyphs.len(), 0);
    }
}
