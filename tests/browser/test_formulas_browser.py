"""A formula in a real browser: drawn as one, with neither a script nor a font from elsewhere."""

from labkit.site import notebook


def test_a_fraction_stands_on_its_line(chromium):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content("<!doctype html><body><p>text</p>" + notebook.markdown(r"$$\frac{a}{b}$$ and $x_1$", {}))
    over, under = (page.locator(f"mfrac > :nth-child({at})").bounding_box() for at in (1, 2))
    low = page.locator("msub > :nth-child(2)").bounding_box()
    high = page.locator("msub > :nth-child(1)").bounding_box()
    context.close()
    assert over["y"] + over["height"] <= under["y"] + 1
    assert low["x"] >= high["x"] + high["width"] - 1
    assert low["height"] < high["height"]
    assert asked == []
