//! A number with a fraction, as the text it came as. It can be shown and formatted; there is nothing to calculate
//! with it, so that two amounts are neither added as floating-point numbers nor glued together as texts. It is true unless it is zero; `>` and `==`
//! mean nothing for it.

use std::{fmt, sync::Arc};

use minijinja::{
    Value,
    value::{Object, ObjectRepr},
};

#[derive(Debug)]
pub(super) struct Exact(String);

impl Exact {
    pub(super) fn value(text: String) -> Value {
        Value::from_object(Self(text))
    }
}

impl Object for Exact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.0.bytes().any(|b| (b'1'..=b'9').contains(&b))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
