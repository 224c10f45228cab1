//! Personal values of stories: masked in the story itself, kept apart beside it, shown only for a reason.
//! Lives here: their form, the look at them, how they are forgotten. Invariant: a story that is read without a reason
//! does not hold them at all, so that no page, answer or log can leak them by mistake.

use takt_model::{CompareOp, Expr, Principal, Uuid, Value};
use takt_plan::Direction;

use super::{MASK, STORIES, Story, StoryField, input, stored};
use crate::{Deed, Engine, EngineError, EngineTx};

/// The kind of personal data that is never kept here: who has it can act in somebody's name.
const SECRET: &str = "secret";
/// Characters that are kept of one value.
const LONGEST: usize = 1_000;
/// In the place of a field's name: what the call was given. No field is called so.
const INPUT: &str = "";
/// Stories of one page when values are forgotten.
const PAGE: u64 = 1_000;

/// What the masks of a field stand for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HiddenValues {
    /// Before; none for inserts and nulls.
    pub before: Option<String>,
    /// After; none for deletes and nulls.
    pub after: Option<String>,
}

/// One kept field: place of its change in the story, its name, before, after. Or the input, under [`INPUT`].
type Kept = (usize, String, Option<String>, Option<String>);

/// A personal field with masks in the place of its values.
pub(super) fn masked(name: &str, kind: &str, before: Option<String>, after: Option<String>) -> StoryField {
    let mask = |value: &Option<String>| value.as_ref().map(|_| MASK.to_owned());
    let shown = (mask(&before), mask(&after));
    let short = |value: Option<String>| {
        value.map(|v| if v.len() <= LONGEST { v } else { v.chars().take(LONGEST).collect() })
    };
    let hidden =
        (kind != SECRET).then(|| Box::new(HiddenValues { before: short(before), after: short(after) }));
    StoryField { name: name.to_owned(), before: shown.0, after: shown.1, hidden }
}

impl Story {
    /// The personal values as they are kept: JSON text; none if there are none.
    pub(super) fn hidden_values(&self, tx: &EngineTx) -> Result<Option<String>, EngineError> {
        if tx.project().settings.logic.story_personal.is_zero() {
            return Ok(None);
        }
        let kept = self.all_changes().enumerate().flat_map(|(at, change)| {
            change.fields.iter().filter_map(move |f| {
                let hidden = f.hidden.as_deref()?;
                Some((at, f.name.as_str(), hidden.before.as_deref(), hidden.after.as_deref()))
            })
        });
        // As `Kept`, without copies: every purchase passes here.
        let mut kept: Vec<(usize, &str, Option<&str>, Option<&str>)> = kept.collect();
        let input = self.input.as_deref().and_then(|text| input::kept(tx.project(), text));
        kept.extend(input.as_deref().map(|text| (0, INPUT, None, Some(text))));
        if kept.is_empty() {
            return Ok(None);
        }
        serde_json::to_string(&kept).map(Some).map_err(|e| EngineError::Internal(format!("story: {e}")))
    }

    /// Whether a value of it is masked.
    #[must_use]
    pub fn has_masked(&self) -> bool {
        let is_mask = |value: &Option<String>| value.as_deref() == Some(MASK);
        self.has_input
            || self.all_changes().flat_map(|c| &c.fields).any(|f| is_mask(&f.before) || is_mask(&f.after))
    }

    /// Puts the kept values in the place of their masks.
    fn reveal(&mut self, kept: Option<&str>) -> Result<(), EngineError> {
        self.revealed = true;
        let Some(text) = kept else { return Ok(()) };
        let kept: Vec<Kept> =
            serde_json::from_str(text).map_err(|e| EngineError::Internal(format!("story: {e}")))?;
        let mut changes: Vec<_> =
            self.steps.iter_mut().flat_map(|s| &mut s.changes).chain(&mut self.changes).collect();
        for (at, name, before, after) in kept {
            if name == INPUT {
                self.input = after;
                continue;
            }
            let fields = changes.get_mut(at).map(|change| &mut change.fields);
            if let Some(field) = fields.into_iter().flatten().find(|f| f.name == name) {
                (field.before, field.after) = (before, after);
            }
        }
        Ok(())
    }
}

/// The smallest v7 UUID of a moment; microseconds since 1970 UTC.
fn first_id_of(at: i64) -> Uuid {
    let milliseconds = u128::try_from(at / 1_000).unwrap_or_default();
    Uuid::from_u128((milliseconds & 0xffff_ffff_ffff) << 80)
}

impl Engine {
    /// One story with its personal values. Who looks, and why, is written down for good before anything is shown.
    ///
    /// # Errors
    /// See [`EngineError`]; nothing is shown then.
    pub async fn reveal_story(&self, id: Uuid, look: Deed) -> Result<Option<Story>, EngineError> {
        self.note_deed(look).await?;
        self.look_up(|tx| {
            let on = tx.on(STORIES)?;
            let plan =
                on.read(&["document", "personal"], Some(on.eq("id", Value::Uuid(id))?), &[], Some(1))?;
            let (rows, _) = tx.rows(&Principal::system("story: show personal values"), plan)?;
            let Some(Value::Json(document)) = rows.value(0, "document") else { return Ok(None) };
            let mut story = stored::read(document)?;
            let kept = rows.value(0, "personal");
            story.reveal(if let Some(Value::Json(text)) = kept { Some(text) } else { None })?;
            Ok(Some(story))
        })
    }

    /// Forgets the personal values of stories after `from` (nil: from the oldest on) that are older than
    /// `logic.story_personal`, at most 1,000 stories; gives the last one, none if there were none. Ids of stories begin
    /// with their time, so that the young ones are never looked at.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn forget_old_personal_values(&self, from: Uuid) -> Result<Option<Uuid>, EngineError> {
        let keep = self.project().settings.logic.story_personal;
        let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        let until = first_id_of(self.now().saturating_sub(keep));
        let old = self.look_up(|tx| {
            let on = tx.on(STORIES)?;
            let old = on.compare("id", CompareOp::Gt, Value::Uuid(from))?.and(on.compare(
                "id",
                CompareOp::Lt,
                Value::Uuid(until),
            )?);
            let oldest = [("id", Direction::Ascending)];
            let plan = on.read(&["id", "personal"], Some(old), &oldest, Some(PAGE))?;
            let (rows, _) = tx.rows(&Principal::system("story: look for old personal values"), plan)?;
            let one = |row: Vec<Value>| match <[Value; 2]>::try_from(row) {
                Ok([Value::Uuid(id), personal]) => Some((id, !personal.is_null())),
                Ok(_) | Err(_) => None,
            };
            Ok::<_, EngineError>(rows.rows.into_iter().filter_map(one).collect::<Vec<_>>())
        })?;
        let last = old.last().map(|(id, _)| *id);
        self.forget_values_of(old.into_iter().filter(|(_, has)| *has).map(|(id, _)| id).collect()).await?;
        Ok(last)
    }

    /// Forgets the personal values of all stories of an account; for whoever deletes it.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn forget_personal_values_of(&self, account: Uuid) -> Result<(), EngineError> {
        let mut after = Uuid::nil();
        loop {
            let ids = self.look_up(|tx| {
                let on = tx.on(STORIES)?;
                let theirs = on.eq("caller", Value::Uuid(account))?.and(on.compare(
                    "id",
                    CompareOp::Gt,
                    Value::Uuid(after),
                )?);
                let oldest = [("id", Direction::Ascending)];
                let plan = on.read(&["id"], Some(theirs), &oldest, Some(PAGE))?;
                let (rows, _) = tx.rows(&Principal::system("story: look for an account's"), plan)?;
                let id = |v: Value| if let Value::Uuid(id) = v { Some(id) } else { None };
                Ok::<_, EngineError>(rows.rows.into_iter().flatten().filter_map(id).collect::<Vec<_>>())
            })?;
            let Some(last) = ids.last().copied() else { return Ok(()) };
            after = last;
            self.forget_values_of(ids).await?;
        }
    }

    async fn forget_values_of(&self, stories: Vec<Uuid>) -> Result<(), EngineError> {
        if stories.is_empty() {
            return Ok(());
        }
        self.transact(move |tx: &EngineTx| -> Result<(), EngineError> {
            let on = tx.on(STORIES)?;
            let id = Expr::Column { scope: 0, table: on.table.id, field: on.field("id")? };
            let these = stories.iter().map(|id| Expr::Literal(Value::Uuid(*id))).collect();
            let plan = on.update(Expr::In(Box::new(id), these), vec![("personal", Value::Null)])?;
            tx.rows(&Principal::system("story: forget personal values"), plan)?;
            Ok(())
        })
        .await
    }
}
