//! How asking somebody went, in a cell and on a sheet.

use std::str::FromStr;

use crate::document::Asked;
use crate::model::ErrorKind;
use crate::theme::Role;
use crate::ui::format::{age, age_short, rtt};
use crate::ui::pane::Ctx;
use crate::ui::widget::{Cell, Sheet};

/// A cell of 6 columns: how long it took while all is well, how old it is when not.
pub(super) fn cell(ctx: &Ctx<'_>, asked: &Asked) -> Cell {
    match (asked.age_ms, asked.fresh, &asked.error) {
        (Some(_), true, None) => Cell::new(asked.rtt_ms.map(rtt).unwrap_or_default(), Role::Muted),
        (Some(ms), _, _) => Cell::new(format!("◐ {}", age_short(ctx.aged(ms))), Role::Stale),
        (None, _, Some(_)) => Cell::new("✖ none", Role::Critical),
        (None, _, None) => Cell::new("asking", Role::Muted),
    }
}

/// Whether the newest attempt failed because nobody is there: else somebody answers, and it may as well be us who cannot read it.
pub(super) fn absent(asked: &Asked) -> bool {
    asked.error.is_some() && is_absence(asked.error_kind.as_deref())
}

/// Whether a failure of this kind is that nobody is there; where its kind is not told it is taken for that.
pub(super) fn is_absence(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| ErrorKind::from_str(kind).is_ok_and(ErrorKind::is_absence))
}

/// An age that is never `now`, for what is said to be old.
fn old(ctx: &Ctx<'_>, ms: u64) -> String {
    age(ctx.aged(ms).max(1000))
}

/// Lines of a sheet.
pub(super) fn lines(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, name: &str, asked: &Asked) {
    let (text, role) = match (asked.age_ms, asked.fresh) {
        (Some(ms), true) => (format!("answers, {} ago", old(ctx, ms)), Role::Text),
        (Some(ms), false) => (format!("last answered {} ago", old(ctx, ms)), Role::Stale),
        (None, _) if asked.error.is_some() => ("never answered".to_owned(), Role::Critical),
        (None, _) => ("not asked yet".to_owned(), Role::Unknown),
    };
    let took = asked.rtt_ms.map(|ms| format!("took {ms:.1} ms")).unwrap_or_default();
    sheet.fact(name, text, role, &took);
    if let Some(error) = &asked.error {
        sheet.fact("", error.clone(), Role::Warning, "");
    }
}

/// A line of a sheet on the certificate that a source has shown, if it has.
pub(super) fn certificate(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, source: &str, target: &str) {
    let all = ctx.document().map(|d| d.certificates.as_slice()).unwrap_or_default();
    let shown = all.iter().filter(|c| !c.ours && c.source == source && c.target == target);
    for certificate in shown {
        let until = certificate.not_after.minute();
        let (text, role) = match certificate.days_left {
            days @ ..0 => (format!("ended {} d ago, {until}", -days), Role::Critical),
            days => (format!("ends in {days} d, {until}"), Role::Text),
        };
        let seen = certificate.age_ms.map(|ms| format!("seen {} ago", old(ctx, ms))).unwrap_or_default();
        sheet.fact("certificate", text, role, &seen);
        if !certificate.subject.is_empty() {
            sheet.fact("", certificate.subject.clone(), role, "");
        }
    }
}

/// Behind a value on a sheet: who said it, and how old that is.
pub(super) fn said(ctx: &Ctx<'_>, source: &str, asked: &Asked) -> String {
    match asked.age_ms.map(|ms| ctx.aged(ms)) {
        Some(ms) if ms < 1000 => source.to_owned(),
        Some(ms) => format!("{source}, {} ago", age(ms)),
        None => source.to_owned(),
    }
}
