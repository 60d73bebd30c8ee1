"""The page. The only place with gradio."""
