//! Functions of kind "http".

use expect_test::expect;
use takt_logic::HttpAnswer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::house::{House, action, failure};

fn http(body: &str) -> String {
    format!(
        "export const kind = \"http\", access = [\"authenticated\"];\nexport default async function (request, ctx) {{\n{body}\n}}"
    )
}

fn shown(answer: Result<HttpAnswer, takt_logic::LogicError>) -> String {
    match answer {
        Ok(answer) => {
            let headers: Vec<String> =
                answer.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
            format!("{} [{}] {}", answer.status, headers.join("; "), String::from_utf8_lossy(&answer.body))
        }
        Err(error) => failure(&error),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_guide_works() {
    let guide = include_str!("../../../../docs/guide.md");
    let (_, from) = guide.split_once("// logic/parcel.ts\n").unwrap();
    let (source, _) = from.split_once("```").unwrap();
    let house = House::with_settings(&[("logic/parcel.ts", source)], "");
    let asked =
        async |query: &str| shown(house.http("parcel", &format!("/functions/v1/parcel{query}"), "").await);
    assert_eq!(
        asked("?grams=2500").await,
        "200 [cache-control: no-store; content-type: application/json] {\"price\":7.30}"
    );
    assert!(guide.contains("parcel?grams=2500'\n{\"price\":7.30}"), "as the guide shows it");
    assert_eq!(asked("").await, "400 [content-type: application/json] {\"message\":\"How many grams?\"}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_come_in_and_responses_go_out() {
    let bodies = [
        "return new Response('hello', { status: 201, headers: { 'X-Tea': 'green' } });",
        "return Response.json({ a: 1n, b: null });",
        "return { status: 200, headers: { 'content-type': 'text/csv' }, body: 'a,b' };",
        "return { body: { made: true } };",
        "return new Response(new Uint8Array([104, 105]));",
        "return undefined;",
        "return 5;",
        "const u = new URL(request.url); return Response.json([request.method, u.pathname, u.searchParams.get('q'), request.headers.get('Content-Type'), ctx.user.email]);",
        "return Response.json([await request.json(), await request.text(), (await request.bytes()).length]);",
        "throw new Error('no tea');",
        "for (;;) {}",
        "await new Promise(() => {});",
        "return Response.redirect('https://example.com/x');",
        "return new Response(new TextDecoder().decode(new TextEncoder().encode('ä€')) + encodeURIComponent('ö'));",
    ];
    let sources: Vec<(String, String)> =
        bodies.iter().enumerate().map(|(n, b)| (format!("logic/f{n}.ts"), http(b))).collect();
    let functions: Vec<(&str, &str)> = sources.iter().map(|(n, s)| (n.as_str(), s.as_str())).collect();
    let house = House::with_settings(&functions, "[logic]\nhttp_time = \"300ms\"\n");
    let mut told = String::new();
    for (n, source) in bodies.iter().enumerate() {
        let body = if source.contains("request.json") { r#"{"a":"ä"}"# } else { "" };
        told +=
            &shown(house.http(&format!("f{n}"), &format!("/functions/v1/f{n}/rest?q=a+b%21"), body).await);
        told.push('\n');
    }
    expect![[r#"
        201 [x-tea: green; content-type: text/plain;charset=UTF-8] hello
        200 [content-type: application/json] {"a":1,"b":null}
        200 [content-type: text/csv] a,b
        200 [content-type: application/json] {"made":true}
        200 [] hi
        204 [] 
        failed P0001 at -: TypeError: an http function gives a Response, or { status, headers, body }
        200 [content-type: application/json] ["GET","/functions/v1/f7/rest","a b!","application/json","person7@example.com"]
        200 [content-type: application/json] [{"a":"ä"},"{\"a\":\"ä\"}",10]
        failed P0001 at logic/f9.ts:3:11: no tea
        failed 57014 at logic/f10.ts:2:1: the function took too long and was stopped
        failed P0001 at -: the function never finishes: it awaits something that nothing will settle
        302 [location: https://example.com/x] 
        200 [content-type: text/plain;charset=UTF-8] ä€%C3%B6
    "#]].assert_eq(&told);
}

#[tokio::test(flavor = "multi_thread")]
async fn they_call_actions_and_keep_exact_numbers() {
    let make = action(
        "if (input.x === 'no') reject(409, { en: 'Sold out' }, { left: 0 });\nconst t = await db.things.insert({ name: input.x, price: new Decimal('12.90') });\nreturn { name: t.name, price: t.price, by: user.email };",
    );
    let front = http(
        "const made = await ctx.call('make', { x: 'a' });\nlet caught;\ntry { await ctx.call('make', { x: 'no' }); } catch (e) { caught = [e.name, e.status, e.message, e.words, e.details]; }\nlet missing;\ntry { await ctx.call('nobody'); } catch (e) { missing = [e.code, e.message]; }\nreturn Response.json({ made, twice: made.price.mul(2), caught, missing });",
    );
    let house = House::new(&[("logic/make.ts", &make), ("logic/front.ts", &front)]);
    expect![[r#"200 [content-type: application/json] {"made":{"name":"a","price":12.90,"by":"person7@example.com"},"twice":25.80,"caught":["Refusal",409,"Sold out",{"en":"Sold out"},{"left":0}],"missing":["42883","there is no action `nobody`"]}"#]].assert_eq(&shown(house.http("front", "/functions/v1/front", "").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn they_fetch_through_the_door() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = vec![0; 4096];
            let n = stream.read(&mut buffer).await.unwrap();
            let text = String::from_utf8_lossy(&buffer[..n]).into_owned();
            let first = text.lines().next().unwrap().to_owned();
            let body = text.split("\r\n\r\n").nth(1).unwrap_or("").to_owned();
            let answer = format!("{{\"line\":\"{first}\",\"body\":{body:?}}}");
            let head = format!(
                "HTTP/1.1 200 OK\r\nx-tea: green\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                answer.len()
            );
            stream.write_all((head + &answer).as_bytes()).await.unwrap();
        }
    });
    let source = http(&format!(
        "const a = await fetch('http://{address}/x?y=1', {{ method: 'POST', headers: {{ 'X-A': 'b' }}, body: 'tea' }});\nlet refused;\ntry {{ await fetch('ftp://example.com/'); }} catch (e) {{ refused = e.message; }}\nreturn Response.json([a.status, a.ok, a.headers.get('X-Tea'), await a.json(), refused]);"
    ));
    let house = House::new(&[("logic/front.ts", &source)]);
    expect![[r#"200 [content-type: application/json] [200,true,"green",{"line":"POST /x?y=1 HTTP/1.1","body":"tea"},"the request cannot be sent: the scheme `ftp` is not http or https"]"#]].assert_eq(&shown(house.http("front", "/functions/v1/front", "").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_and_none_sees_another() {
    let source = http(
        "globalThis.n = (globalThis.n ?? 0) + 1;\nArray.prototype.mark = (Array.prototype.mark ?? 0) + 1;\nreturn new Response(`${globalThis.n}${[].mark}`);",
    );
    let house = std::sync::Arc::new(House::new(&[("logic/f.ts", &source)]));
    let mut running = Vec::new();
    for _ in 0..40 {
        let house = std::sync::Arc::clone(&house);
        running.push(tokio::spawn(async move { shown(house.http("f", "/functions/v1/f", "").await) }));
    }
    for task in running {
        assert_eq!(task.await.unwrap(), "200 [content-type: text/plain;charset=UTF-8] 11");
    }
}
