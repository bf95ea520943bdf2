// Puts the page's modules together.

import "./tabs.js";
import "./sources.js";
import "./viewer.js";
import * as chat from "./chat.js";
import * as conversations from "./conversations.js";
import * as documents from "./documents.js";
import * as filter from "./filter.js";

filter.show();
conversations.start();
documents.start();
chat.start();
document.body.classList.add("ready");
