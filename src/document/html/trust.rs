//! How far the names of elements are believed.
//!
//! In: what the names of a page's elements say, and where its running text stands. Out: the same without what the text
//! speaks against: builders of pages put every paragraph into a box of its own and call all of them widgets, and what stands
//! behind a paywall is the text where the reader had paid.

use std::collections::{BTreeMap, BTreeSet};

use super::class::{self, Says};
use super::content::{BULK, ENOUGH, Sums};
use super::dom::{Dom, Id};
use super::runs::Run;
use crate::document::line::key;

/// Words of names that are believed however much text stands under them: what readers wrote, what leads elsewhere.
const FIRM: &[&str] = &[
    "comment",
    "comments",
    "commentlist",
    "disqus",
    "reply",
    "replies",
    "respond",
    "related",
    "recommended",
    "recommendations",
    "suggested",
    "cookie",
    "cookies",
    "consent",
    "gdpr",
    "menu",
    "nav",
    "navbar",
    "footer",
];

/// How often words of running text behind a paywall may be of a box that asks for money: one in so many.
const ASKING: f32 = 4.0;

/// Which names are doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Those that the bulk of the running text stands under.
    Common,
    /// All that make furniture but the firm ones.
    Most,
}

/// Returns what names say without those that are doubted.
pub(super) fn doubted(dom: &Dom, says: &[Says], sums: &Sums, doubt: Doubt) -> Vec<Says> {
    let named = || (0..).zip(says).filter(|(_, says)| says.any(Says::FURNITURE)).map(|(id, _)| id);
    let mut under: BTreeMap<String, f32> = BTreeMap::new();
    for id in named().filter(|&id: &Id| sums.prose[id as usize] > 0.0) {
        for name in doubtful(dom, id) {
            *under.entry(name).or_default() += sums.prose[id as usize];
        }
    }
    let bulk = sums.prose[0] * BULK as f32;
    under.retain(|_, words| doubt == Doubt::Most || *words >= bulk);
    let mut out = says.to_vec();
    for id in named() {
        let left = class::each(dom, id).filter(|(name, _)| !under.contains_key(name));
        out[id as usize] = left.fold(Says::default(), |all, (_, says)| all.and(says));
    }
    out
}

/// Returns the names of an element that make it furniture and may be doubted.
fn doubtful(dom: &Dom, id: Id) -> BTreeSet<String> {
    class::each(dom, id)
        .filter(|(name, says)| says.any(Says::FURNITURE) && !name.split('-').any(|word| FIRM.contains(&word)))
        .map(|(name, _)| name)
        .collect()
}

/// Takes what stands behind a paywall for the site's where it is not paragraphs that ask for nothing.
pub(super) fn paywalls(dom: &Dom, runs: &[Run], all: &Sums, says: &mut [Says]) {
    if !says.iter().any(|says| says.any(Says::PAYWALL)) {
        return;
    }
    let free = Sums::of(dom, runs, |run| run.prose() > 0 && !asks(&run.text));
    for (at, says) in says.iter_mut().enumerate().filter(|(_, says)| says.any(Says::PAYWALL)) {
        let text = free.prose[at] >= ENOUGH * 2.0 && (all.prose[at] - free.prose[at]) * ASKING <= all.prose[at];
        if !text {
            *says = says.and(Says::FURNITURE);
        }
    }
}

/// Returns whether a paragraph asks its reader to subscribe or to sign in.
pub(super) fn asks(text: &str) -> bool {
    const ASKS: &[&str] = &[
        "اشترك الان",
        "اشتركوا",
        "الاشتراك",
        "للاشتراك",
        "اشتراكك",
        "اشتراكات",
        "المشتركين",
        "للمشتركين",
        "مشتركينا",
        "تسجيل الدخول",
        "سجل الدخول",
        "سجل دخولك",
        "لمتابعه القراءه",
        "لمواصله القراءه",
        "لقراءه المقال كاملا",
        "حسابك",
        "subscribe",
        "sign in",
        "log in",
    ];
    let folded = key(text);
    folded.starts_with("اشترك ") || ASKS.iter().any(|phrase| folded.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::super::{TEXT, of_text};
    use crate::document::ReadOptions;

    /// How many of the paragraphs are read as the text.
    fn read(page: &str) -> usize {
        let sheet = of_text(page, &ReadOptions::default());
        TEXT.iter().filter(|text| sheet.lines.iter().any(|line| line.body && line.text == **text)).count()
    }

    #[test]
    fn a_page_whose_every_paragraph_is_a_widget_has_a_text() {
        for class in ["elementor-widget elementor-widget-text-editor", "block-promo", "tool tools-2"] {
            let boxes: String =
                TEXT.iter().map(|text| format!("<div class='{class}'><div><p>{text}</p></div></div>")).collect();
            let title = "<h1>جسر جديد يربط ضفتي المدينة القديمة</h1>";
            assert_eq!(read(&format!("<title>جسر جديد</title><div>{title}{boxes}</div>")), 6, "{class}");
            assert_eq!(
                read(&format!("<title>جسر جديد</title><div><div class='{class}'>{title}</div>{boxes}</div>")),
                6
            );
        }
        // Each has another name.
        let names = ["widget", "promo", "tool", "ticker", "service", "banner"];
        let boxes: String =
            TEXT.iter().zip(names).map(|(text, name)| format!("<div class={name}><p>{text}</p></div>")).collect();
        assert_eq!(read(&format!("<h1>جسر جديد يربط ضفتي المدينة</h1>{boxes}")), 6);
    }

    #[test]
    fn teasers_and_comments_beside_a_short_article_stay_out() {
        let short = format!("<p>{}</p><p>{}</p>", TEXT[0], TEXT[1]);
        let other = "قال رئيس الاتحاد إن المنتخب سيخوض مباراتين وديتين في الشهر المقبل قبل البطولة التي تقام في الخريف.";
        for (open, close) in [("<div>", "</div>"), ("<article>", "</article>"), ("<div class=post-content>", "</div>")]
        {
            for name in ["comment", "related-item", "promo", "widget"] {
                let boxes = format!("<div class={name}><p>{other}</p></div>").repeat(2)
                    + &(0..12).map(|n| format!("<div class={name}><p>{other} رقم {n}.</p></div>")).collect::<String>();
                let page = format!("<title>جسر</title>{open}<h1>جسر جديد يربط ضفتي المدينة</h1>{short}{close}{boxes}");
                let sheet = of_text(&page, &ReadOptions::default());
                assert_eq!(read(&page), 2, "{open} {name}");
                assert!(!sheet.lines.iter().any(|line| line.body && line.text.starts_with(other)), "{open} {name}");
            }
        }
    }

    #[test]
    fn behind_a_paywall_stands_the_text_or_a_box_that_asks_for_money() {
        let paragraphs = |texts: &[&str]| texts.iter().map(|text| format!("<p>{text}</p>")).collect::<String>();
        let (shown, paid) = (paragraphs(&TEXT[..2]), paragraphs(&TEXT[2..]));
        for class in ["paywall", "paywall subscriber-only", "premium-content"] {
            let page = format!(
                "<article><h1>جسر جديد يربط ضفتي المدينة</h1>{shown}<div class='{class}'>{paid}</div></article>"
            );
            assert_eq!(read(&page), 6, "{class}");
            let ask = "<h3>تابع القراءة مع اشتراك</h3><p>اشترك الآن لتقرأ المقال كاملا وكل ما تنشره الصحيفة من تحليلات                        وتقارير على مدار العام بسعر مخفض.</p><p>تسجيل الدخول متاح لكل من سبق له الاشتراك في النسخة                        الورقية خلال الأعوام الثلاثة الماضية دون أي كلفة إضافية.</p>";
            let page = format!(
                "<article><h1>جسر جديد يربط ضفتي المدينة</h1>{shown}<div class='{class}'>{ask}</div></article>"
            );
            let sheet = of_text(&page, &ReadOptions::default());
            assert_eq!(read(&page), 2);
            assert!(!sheet.lines.iter().any(|line| line.body && line.text.contains("اشترك الآن")), "{class}");
        }
    }
}
