import { mount } from "svelte";
import App from "./App.svelte";
import "./tokens.css";
import "./base.css";
import { host } from "./platform";

const target = document.getElementById("app");
if (target) mount(App, { target, props: { platform: await host() } });
