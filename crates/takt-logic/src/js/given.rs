//! The validated input as JavaScript has it.

use rquickjs::{Array, Ctx, IntoJs, Object, Value as Js};

use super::{
    host::{Host, Thrown},
    values::to_js,
};
use crate::validate::Given;

pub(crate) fn given_to_js<'js>(host: &Host, ctx: &Ctx<'js>, given: &Given) -> Result<Js<'js>, Thrown> {
    match given {
        Given::Value(kind, value) => to_js(host, ctx, kind, value),
        Given::List(list) => {
            let array = Array::new(ctx.clone())?;
            for (at, entry) in list.iter().enumerate() {
                array.set(at, given_to_js(host, ctx, entry)?)?;
            }
            Ok(array.into_js(ctx)?)
        }
        Given::Object(entries) => {
            let object = Object::new(ctx.clone())?;
            for (name, entry) in entries {
                object.set(name.as_str(), given_to_js(host, ctx, entry)?)?;
            }
            Ok(object.into_js(ctx)?)
        }
    }
}
