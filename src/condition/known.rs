//! An unknown value is equal to nothing and different from nothing: who compares it, or does anything with it but ask whether it is null, gets no
//! answer.

use std::sync::Arc;

use cel::common::ast::{CallExpr, EntryExpr, Expr, LiteralValue, SelectExpr, operators};
use cel::objects::Value;
use cel::{Context, DeclarationError, ExecutionError, IdedExpr};

/// The function that demands that its argument is known. Not a word that somebody could write in a condition.
pub(super) const NAME: &str = "@known";

/// Calls that CEL makes for itself, or that take anything.
const FREE: [&str; 3] = [operators::NOT_STRICTLY_FALSE, "dyn", "type"];

/// Makes the function known to a context.
pub(super) fn define(context: &mut Context<'_, '_>) -> Result<(), DeclarationError> {
    context.add_function(NAME, |value: Value, what: Arc<String>| match unknown(&value) {
        true => Err(ExecutionError::function_error(NAME, format!("{what} is not known"))),
        false => Ok(value),
    })
}

fn unknown(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(values) => values.iter().any(unknown),
        _ => false,
    }
}

/// The expression with a demand around each value that is compared or computed with.
pub(super) fn demanded(expression: IdedExpr) -> IdedExpr {
    let each = |all: Vec<IdedExpr>| all.into_iter().map(demanded).collect::<Vec<_>>();
    let IdedExpr { id, expr } = expression;
    let expr = match expr {
        Expr::Call(call) => Expr::Call(demanding(call)),
        Expr::Comprehension(mut loops) => {
            let parts = [&mut loops.iter_range, &mut loops.accu_init, &mut loops.loop_cond, &mut loops.loop_step, &mut loops.result];
            for part in parts {
                *part = demanded(std::mem::take(part));
            }
            let range = std::mem::take(&mut loops.iter_range);
            loops.iter_range = demand(range);
            Expr::Comprehension(loops)
        }
        Expr::List(mut list) => {
            list.elements = each(list.elements);
            Expr::List(list)
        }
        Expr::Select(mut select) => {
            let operand = demanded(std::mem::take(&mut *select.operand));
            // Nothing has fields of which nothing is known.
            *select.operand = if select.test { operand } else { demand(operand) };
            if select.test { there(id, select) } else { Expr::Select(select) }
        }
        Expr::Map(mut map) => {
            for entry in &mut map.entries {
                if let EntryExpr::MapEntry(pair) = &mut entry.expr {
                    pair.key = demanded(std::mem::take(&mut pair.key));
                    pair.value = demanded(std::mem::take(&mut pair.value));
                }
            }
            Expr::Map(map)
        }
        other => other,
    };
    IdedExpr { id, expr }
}

fn demanding(call: CallExpr) -> CallExpr {
    let CallExpr { func_name, target, args } = call;
    let asks_for_null = [operators::EQUALS, operators::NOT_EQUALS].contains(&func_name.as_str()) && args.iter().any(is_null);
    let free = asks_for_null || FREE.contains(&func_name.as_str());
    let treat = |expression: IdedExpr| if free { demanded(expression) } else { demand(demanded(expression)) };
    CallExpr { target: target.map(|target| Box::new(treat(*target))), args: args.into_iter().map(treat).collect(), func_name }
}

/// `has(a.b)`: every field of the document is there, and some are null, so it is asked whether it is known.
fn there(id: u64, select: SelectExpr) -> Expr {
    let call = |func_name: &str, args| Expr::Call(CallExpr { func_name: func_name.to_owned(), target: None, args });
    let ided = |expr| IdedExpr { id, expr };
    let value = SelectExpr { test: false, ..select.clone() };
    let known = call(operators::NOT_EQUALS, vec![ided(Expr::Select(value)), ided(Expr::Literal(LiteralValue::Null))]);
    call(operators::LOGICAL_AND, vec![ided(Expr::Select(select)), ided(known)])
}

fn is_null(expression: &IdedExpr) -> bool {
    matches!(expression.expr, Expr::Literal(LiteralValue::Null))
}

/// The expression, which has to be known. The variables in which CEL counts for itself are left alone.
fn demand(expression: IdedExpr) -> IdedExpr {
    let id = expression.id;
    let what = match &expression.expr {
        Expr::Literal(_) => return expression,
        Expr::Ident(name) if name.starts_with('@') => return expression,
        other => path(other).unwrap_or_else(|| "a value in it".to_owned()),
    };
    let what = IdedExpr { id, expr: Expr::Literal(LiteralValue::String(what.into())) };
    IdedExpr { id, expr: Expr::Call(CallExpr { func_name: NAME.to_owned(), target: None, args: vec![expression, what] }) }
}

/// `cluster.leader`, as it was written.
fn path(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Call(call) if call.func_name == NAME => path(&call.args.first()?.expr),
        Expr::Select(select) if !select.test => Some(format!("{}.{}", path(&select.operand.expr)?, select.field)),
        _ => None,
    }
}
