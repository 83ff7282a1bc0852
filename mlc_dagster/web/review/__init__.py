"""The review page: what finance sees, decides and can prove. Starlette and Jinja2; every action is a plain form."""
