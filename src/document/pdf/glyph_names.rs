//! The letters that names of glyphs stand for.
//!
//! In: a name such as `afii57415` or `uni0627`. Out: text. Only names that Arabic and Latin fonts use; others are the
//! font's own. Source: Adobe Glyph List and its specification (uniXXXX, uXXXXX, suffixes behind a dot).

/// Names of signs; letters and figures are told by themselves.
const NAMES: &[(&str, char)] = &[
    ("space", ' '),
    ("nbspace", ' '),
    ("nonbreakingspace", ' '),
    ("exclam", '!'),
    ("quotedbl", '"'),
    ("numbersign", '#'),
    ("dollar", '$'),
    ("percent", '%'),
    ("ampersand", '&'),
    ("quotesingle", '\''),
    ("parenleft", '('),
    ("parenright", ')'),
    ("asterisk", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("hyphen", '-'),
    ("minus", '-'),
    ("period", '.'),
    ("slash", '/'),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("colon", ':'),
    ("semicolon", ';'),
    ("less", '<'),
    ("equal", '='),
    ("greater", '>'),
    ("question", '?'),
    ("at", '@'),
    ("bracketleft", '['),
    ("backslash", '\\'),
    ("bracketright", ']'),
    ("underscore", '_'),
    ("braceleft", '{'),
    ("bar", '|'),
    ("braceright", '}'),
    ("quoteleft", '‘'),
    ("quoteright", '’'),
    ("quotedblleft", '“'),
    ("quotedblright", '”'),
    ("guillemotleft", '«'),
    ("guillemotright", '»'),
    ("guillemetleft", '«'),
    ("guillemetright", '»'),
    ("endash", '–'),
    ("emdash", '—'),
    ("bullet", '•'),
    ("ellipsis", '…'),
    ("degree", '°'),
    ("Euro", '€'),
    ("sterling", '£'),
    ("copyright", '©'),
    ("section", '§'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("ecircumflex", 'ê'),
    ("agrave", 'à'),
    ("acircumflex", 'â'),
    ("ccedilla", 'ç'),
    ("ocircumflex", 'ô'),
    ("ugrave", 'ù'),
    ("ucircumflex", 'û'),
    ("icircumflex", 'î'),
    ("idieresis", 'ï'),
    ("edieresis", 'ë'),
    ("udieresis", 'ü'),
    ("odieresis", 'ö'),
    ("adieresis", 'ä'),
    ("ntilde", 'ñ'),
    ("germandbls", 'ß'),
    ("Eacute", 'É'),
    ("fi", 'ﬁ'),
    ("fl", 'ﬂ'),
    ("afii57381", '٪'),
    ("afii57388", '،'),
    ("afii57403", '؛'),
    ("afii57407", '؟'),
    ("afii57440", 'ـ'),
    ("afii57470", 'ه'),
    ("afii57505", 'ڤ'),
    ("afii57506", 'پ'),
    ("afii57507", 'چ'),
    ("afii57508", 'ژ'),
    ("afii57509", 'گ'),
    ("afii57511", 'ٹ'),
    ("afii57512", 'ڈ'),
    ("afii57513", 'ڑ'),
    ("afii57514", 'ں'),
    ("afii57519", 'ے'),
    ("afii57534", 'ە'),
];

/// Returns what a glyph's name stands for.
pub(super) fn text(name: &str) -> Option<String> {
    let base = name.split('.').next().filter(|base| !base.is_empty())?;
    if base.contains('_') {
        return base.split('_').map(text).collect();
    }
    if let Some(&(_, c)) = NAMES.iter().find(|(known, _)| *known == base) {
        return Some(c.to_string());
    }
    if base.len() == 1 && base.is_ascii() {
        return Some(base.to_owned());
    }
    if let Some(number) = base.strip_prefix("afii57").and_then(|digits| digits.parse::<u32>().ok()) {
        let code = match number {
            392..=401 => 0x660 + number - 392,
            409..=434 => 0x621 + number - 409,
            441..=450 => 0x641 + number - 441,
            451..=458 => 0x64b + number - 451,
            _ => return None,
        };
        return char::from_u32(code).map(String::from);
    }
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    if let Some(digits) = base.strip_prefix("uni")
        && digits.len() >= 4
        && digits.len().is_multiple_of(4)
        && digits.is_ascii()
    {
        return digits.as_bytes().chunks(4).map(|four| hex(std::str::from_utf8(four).ok()?)).collect();
    }
    let digits = base.strip_prefix('u').filter(|digits| (4..=6).contains(&digits.len()))?;
    hex(digits).map(String::from)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_of_arabic_fonts_are_known() {
        for (name, wanted) in [
            ("afii57415", "ا"),
            ("afii57434", "غ"),
            ("afii57441", "ف"),
            ("afii57450", "ي"),
            ("afii57392", "٠"),
            ("uniFEFB", "ﻻ"),
            ("uni06440627", "لا"),
            ("uni0627.fina", "ا"),
            ("u1F600", "😀"),
            ("A", "A"),
            ("lam_alef", ""),
        ] {
            assert_eq!(super::text(name).unwrap_or_default(), wanted, "{name}");
        }
    }
}
