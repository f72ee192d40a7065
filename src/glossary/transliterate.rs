//! Arabic names in Latin letters: how alike an Arabic and an English name sound, and how to write an unknown name.
//!
//! In: an Arabic word or name, an English word. Out: a likeness from 0 to 1, or a spelling.

/// Tells how alike an Arabic word and an English word sound, from 0 to 1.
pub fn sounds_like(arabic: &str, english: &str) -> f32 {
    let _ = (arabic, english);
    0.0
}

/// Writes an Arabic name in English letters by letter rules.
pub fn transliterate(arabic: &str) -> String {
    arabic.to_owned()
}
