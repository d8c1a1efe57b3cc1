/** Sizes and colours as variables; light and dark; nothing below 44 px to touch. */
export const CSS = `
.kt{--ink:#2a2118;--soft:#6b5b48;--faint:#8d7c67;--line:#7a582633;--glass:#fffaf1d9;--sheen:#ffffffd9;--amber:#e8930c;--amber-deep:#a35c00;
--amber-soft:#f7b23f2e;--field:#ffffffb3;--good:#2c8a57;--shadow:0 30px 80px #3a21003d,0 8px 24px #3a210024;color:var(--ink);box-sizing:border-box}
.kt *,.kt *::before,.kt *::after{box-sizing:border-box}
@media(prefers-color-scheme:dark){.kt{--ink:#fbf3e6;--soft:#d3c4ae;--faint:#a8977f;--line:#f7c67a2e;--glass:#241d16d9;--sheen:#ffffff14;
--amber:#f5a938;--amber-deep:#ffc871;--amber-soft:#f5a93826;--field:#00000040;--good:#62d295;--shadow:0 30px 90px #000000a6,0 8px 24px #00000066}}
.veil{position:absolute;inset:0;display:grid;place-items:center;padding:12px;pointer-events:none;
background:radial-gradient(60% 55% at 50% 50%,#2a1a0033,#2a1a0000 100%)}
.panel{position:relative;width:min(432px,100%);max-height:min(680px,100%);overflow:auto;pointer-events:auto;padding:26px 26px 22px;border-radius:26px;
background:linear-gradient(180deg,var(--sheen),transparent 34%) padding-box,var(--glass);-webkit-backdrop-filter:blur(26px) saturate(1.5);
backdrop-filter:blur(26px) saturate(1.5);border:1px solid var(--line);box-shadow:0 1px 0 var(--sheen) inset,var(--shadow);outline:none}
.panel::before{content:"";position:absolute;top:0;left:26px;right:26px;height:2px;border-radius:2px;
background:linear-gradient(90deg,transparent,var(--amber) 30%,#ffd489 50%,var(--amber) 70%,transparent)}
.head{display:flex;align-items:center;gap:14px;margin:0 44px 16px 0}
.orb{position:relative;flex:none;display:grid;place-items:center;width:50px;height:50px;border-radius:17px;color:#fff;
background:linear-gradient(150deg,#ffc65c,#ee9410 55%,#c96f00);box-shadow:0 1px 0 #fff8 inset,0 8px 20px #d77f0059}
.orb svg{width:26px;height:26px}
.orb.busy::after{content:"";position:absolute;inset:-5px;border-radius:21px;border:2px solid var(--amber);opacity:0;animation:kt-ring 2.4s ease-out infinite}
.orb.good{background:linear-gradient(150deg,#7fdfa9,#2f9e66 60%,#1f7a4c);box-shadow:0 1px 0 #fff8 inset,0 8px 20px #1f8a5559}
.orb.good path{stroke-dasharray:1;animation:kt-draw .6s .1s ease-out both;stroke-width:2.4}
.kicker{font-size:12px;font-weight:650;letter-spacing:.04em;color:var(--amber-deep)}
.stage{font-size:13px;color:var(--soft)}
h2{margin:0 0 8px;font-size:21px;line-height:1.28;font-weight:680;letter-spacing:-.012em;text-wrap:balance;overflow-wrap:anywhere}
.body{color:var(--soft);font-size:15px;line-height:1.55;overflow-wrap:anywhere}
.body p,.body ul{margin:0 0 8px}.body ul{padding-left:20px}.body strong{color:var(--ink);font-weight:640}.body a{color:var(--amber-deep)}
.body code{font:13px ui-monospace,SFMono-Regular,Menlo,monospace;background:var(--amber-soft);padding:1px 5px;border-radius:5px}
.x{all:unset;position:absolute;top:16px;right:16px;display:grid;place-items:center;width:44px;height:44px;border-radius:50%;cursor:pointer;color:var(--faint)}
.x svg{width:19px;height:19px}.x:hover{background:var(--amber-soft);color:var(--ink)}
.steps{display:grid;grid-auto-flow:column;grid-auto-columns:1fr;margin:20px 0 4px;padding:0;list-style:none}
.steps li{position:relative;display:flex;flex-direction:column;align-items:center;gap:8px;font-size:11.5px;line-height:1.2;color:var(--faint);text-align:center}
.steps li::before{content:"";position:relative;z-index:1;width:11px;height:11px;border-radius:50%;background:var(--glass);border:2px solid var(--line)}
.steps li::after{content:"";position:absolute;top:5px;left:-50%;width:100%;height:2px;background:var(--line)}
.steps li:first-child::after{display:none}
.steps .past::before,.steps .now::before{background:var(--amber);border-color:var(--amber)}
.steps .past::after,.steps .now::after{background:var(--amber)}
.steps .past{color:var(--soft)}
.steps .now{color:var(--ink);font-weight:640}
.steps .now::before{box-shadow:0 0 0 5px var(--amber-soft)}
.steps.all li{color:var(--soft)}.steps.all li:last-child{color:var(--ink)}
.bar{height:6px;margin:18px 0 2px;border-radius:3px;overflow:hidden;background:var(--amber-soft)}
.bar i{display:block;height:100%;border-radius:3px;background:linear-gradient(90deg,#f9bd55,var(--amber));transform-origin:left;transition:transform .6s cubic-bezier(.2,.7,.2,1)}
.row{display:flex;flex-wrap:wrap;gap:10px;margin-top:20px}
.row:empty{display:none}
.btn{all:unset;box-sizing:border-box;display:inline-flex;align-items:center;justify-content:center;gap:8px;min-height:44px;padding:0 18px;border-radius:14px;
cursor:pointer;font-size:15px;font-weight:620;color:var(--ink);background:var(--field);border:1px solid var(--line);transition:transform .14s,background .14s,box-shadow .14s}
.btn:hover{background:var(--amber-soft);transform:translateY(-1px)}.btn:active{transform:none}
.btn.main{color:#2b1900;background:linear-gradient(180deg,#ffc65f,#f0a021);border-color:#c97b0a66;box-shadow:0 1px 0 #fff9 inset,0 8px 18px #d27d0040}
.btn.main:hover{background:linear-gradient(180deg,#ffce74,#f4ab36)}
.btn.plain{background:none;border-color:transparent;color:var(--soft);font-weight:560;padding:0 12px}
.btn svg{width:18px;height:18px}
.btn[disabled]{opacity:.5;cursor:default;transform:none}
.btn:focus-visible,.x:focus-visible,.chip:focus-visible,.stars button:focus-visible,textarea:focus-visible{outline:3px solid var(--amber);outline-offset:2px}
.row .grow{flex:1}
textarea{all:unset;box-sizing:border-box;display:block;width:100%;min-height:92px;margin-top:16px;padding:12px 14px;border-radius:16px;white-space:pre-wrap;overflow-wrap:anywhere;
overflow:auto;font:inherit;color:var(--ink);background:var(--field);border:1px solid var(--line)}
textarea::placeholder{color:var(--faint)}
.ask{margin-top:18px;padding-top:16px;border-top:1px solid var(--line)}
.ask b{display:block;font-size:14px;font-weight:600;color:var(--soft)}
.stars{display:flex;gap:2px;margin:6px 0 0 -8px}
.stars button{all:unset;display:grid;place-items:center;width:44px;height:44px;cursor:pointer;border-radius:12px;color:var(--faint);transition:transform .14s,color .14s}
.stars svg{width:28px;height:28px}
.stars .on{color:var(--amber)}.stars .on path{fill:var(--amber)}
.stars button:hover{transform:scale(1.12)}
.chip{all:unset;box-sizing:border-box;position:absolute;left:50%;bottom:22px;translate:-50% 0;display:flex;align-items:center;gap:11px;max-width:calc(100% - 24px);min-height:46px;
padding:6px 18px 6px 7px;border-radius:23px;pointer-events:auto;cursor:pointer;font-size:14px;font-weight:620;background:var(--glass);-webkit-backdrop-filter:blur(20px) saturate(1.4);
backdrop-filter:blur(20px) saturate(1.4);border:1px solid var(--line);box-shadow:0 1px 0 var(--sheen) inset,0 12px 34px #2a180033}
.chip .orb{width:34px;height:34px;border-radius:50%}.chip .orb svg{width:18px;height:18px}.chip .orb.busy::after{border-radius:50%;inset:-4px}
.chip small{font-weight:500;font-size:13px;color:var(--soft)}
@media(max-width:520px){:host([data-open]) .help{display:none}.chip{left:12px;translate:none;bottom:12px;max-width:calc(100% - 80px)}.panel{padding:22px 18px 18px;border-radius:22px}
.steps li{font-size:10.5px}h2{font-size:19px}.row .btn{flex:1 1 auto}.stars{justify-content:space-between;margin-left:0}}
.spark{position:absolute;left:25px;top:25px;width:6px;height:6px;border-radius:50%;background:var(--amber);pointer-events:none}
.live{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@keyframes kt-ring{0%{opacity:.75;transform:scale(.92)}80%,100%{opacity:0;transform:scale(1.22)}}
@keyframes kt-draw{from{stroke-dashoffset:1}to{stroke-dashoffset:0}}
@media(prefers-reduced-motion:reduce){.orb.busy::after,.orb.good path{animation:none}.btn,.bar i,.stars button{transition:none}.orb.busy::after{opacity:.4}}
@media(prefers-reduced-transparency:reduce){.kt{--glass:#fffaf1}.panel,.chip{backdrop-filter:none;-webkit-backdrop-filter:none}}
@media(forced-colors:active){.panel,.chip,.btn,textarea{border:1px solid CanvasText;background:Canvas}.steps .now::before,.steps .past::before{background:Highlight}}
`;
